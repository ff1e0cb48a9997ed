// A store on a small disk that somebody else fills, or takes away.
#include "messages/error.hpp"
#include "storage/rocksdb_store.hpp"
#include "storage/store_key.hpp"
#include "tests/support/child_process.hpp"
#include "tests/support/failure_of.hpp"
#include "tests/support/small_disk.hpp"

#include <doctest/doctest.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>

#include <fmt/format.h>

using namespace backtest;
using namespace backtest::testing;

namespace {

constexpr std::uint64_t megabyte = 1'000'000;

bool mentions(const failure& problem, std::string_view text) {
  return std::string_view{problem.what()}.find(text) != std::string_view::npos;
}

store_batch growing_batch(std::uint64_t number) {
  store_batch batch;
  const auto key = number_key_part(number);
  std::string row; // does not become small when compressed
  for (std::uint64_t i = 0; i < 2000 + number % 20 * 500; ++i)
    row += static_cast<char>((i * 2654435761U + number * 40503U) >> 7U);
  batch.put(store_space::journal, key, row);
  batch.put(store_space::state, "latest", std::to_string(number));
  batch.put(store_space::state, "of/" + std::to_string(number % 100), row);
  return batch;
}

void check_has(const store_reader& from, std::uint64_t count) {
  REQUIRE(from.scan(store_space::journal, "").size() == count);
  REQUIRE(from.get(store_space::state, "latest") == std::to_string(count));
}

/// Commits until the disk is full; the first number that was refused.
std::uint64_t commit_until_full(store& target, std::uint64_t next) {
  for (;; ++next)
    try {
      target.commit(growing_batch(next));
    } catch (const failure& problem) {
      REQUIRE(problem.code() == error_code::store_failed);
      CAPTURE(problem.what());
      REQUIRE(mentions(problem, "no space left"));
      REQUIRE(mentions(problem, "are free"));
      return next;
    }
}

} // namespace

/// Not a test: what the one below runs in another process, for each number of bytes left.
TEST_CASE("rocksdb full disk: the process whose disk is filled" * doctest::skip()) {
  const char* given = std::getenv("BACKTEST_FULL_DISK_LEFT");
  if (given == nullptr)
    return;
  const std::uint64_t left = std::stoull(given);
  const small_disk disk{30 * megabyte};
  const auto directory = disk.path() / "data";
  rocksdb_options options;
  options.write_buffer_bytes = 1 << 18;
  auto target = open_rocksdb_store(directory, options);
  std::uint64_t next = 1;
  for (; next <= 50; ++next)
    target->commit(growing_batch(next));
  disk.fill(left);
  for (int round = 0; round < 4; ++round) {
    next = commit_until_full(*target, next);
    for (int attempt = 0; attempt < 3; ++attempt) {
      target->reopen();
      next = commit_until_full(*target, next); // a log that was put into a table gives room
      check_has(*target, next - 1);            // reads go on
    }
    if (round % 2 == 1) { // a second start while it is full
      target.reset();
      try {
        target = open_rocksdb_store(directory, options);
        check_has(*target, next - 1);
      } catch (const failure& problem) {
        CHECK(mentions(problem, "no space left"));
      }
    }
    disk.clear();
    if (!target)
      target = open_rocksdb_store(directory, options);
    for (const auto until = next + 20; next < until; ++next) {
      target->reopen();
      target->commit(growing_batch(next));
    }
    check_has(*target, next - 1);
    disk.fill(left);
  }
  disk.clear();
  target.reset();
  check_has(*open_rocksdb_store(directory, options), next - 1);
  std::printf("done with %llu\n", static_cast<unsigned long long>(next - 1));
}

TEST_CASE("rocksdb full disk: commits are refused with what is free, nothing is lost, and it goes "
          "on when there is room") {
  if (!small_disk{megabyte}.available()) {
    MESSAGE("skipped: this user may not mount a file system");
    return;
  }
  for (const int left : {0, 40'000, 300'000, 1'500'000}) {
    CAPTURE(left);
    child_process child{{"/proc/self/exe",
                         "--test-case=rocksdb full disk: the process whose disk is filled",
                         "--no-skip"},
                        {fmt::format("BACKTEST_FULL_DISK_LEFT={}", left)}};
    std::string told;
    bool done = false;
    for (std::string line; child.read_line(line); told += line + "\n")
      done = done || line.starts_with("done with ");
    CAPTURE(told);
    const int status = child.wait();
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 0);
    CHECK(done);
  }
}

TEST_CASE(
    "rocksdb full disk: without room for the reserve nothing is begun, and the reserve can be "
    "chosen") {
  const small_disk disk{6 * megabyte};
  if (!disk.available()) {
    MESSAGE("skipped: this user may not mount a file system");
    return;
  }
  const auto directory = disk.path() / "data";
  const auto problem = failure_of([&] { open_rocksdb_store(directory); });
  CHECK(problem.code() == error_code::store_failed);
  CHECK(mentions(problem, directory.string()));
  CHECK(mentions(problem, "no space left: 6.0 MB are free"));
  CHECK(mentions(problem, "store_reserve_bytes is 8388608"));
  CHECK(disk.free() > 5 * megabyte); // not a part of it either
  rocksdb_options options;
  options.reserve_bytes = megabyte;
  open_rocksdb_store(directory, options)->commit(growing_batch(1));
  options.reserve_bytes = 0;
  check_has(*open_rocksdb_store(directory, options), 1);
}

TEST_CASE("rocksdb: a data directory that is removed or moved away is noticed at the next commit") {
  const temporary_directory parent;
  const auto directory = parent.path() / "data";
  const auto target = open_rocksdb_store(directory);
  target->commit(growing_batch(1));
  const auto away = parent.path() / "away";
  std::filesystem::rename(directory, away);
  for (int attempt = 0; attempt < 3; ++attempt) {
    const auto problem = failure_of([&] {
      target->reopen();
      target->commit(growing_batch(2));
    });
    CHECK(problem.code() == error_code::store_failed);
    CHECK(mentions(problem, directory.string()));
    CHECK(mentions(problem, "the data directory is gone"));
    check_has(*target, 1);
    CHECK_FALSE(std::filesystem::exists(directory / "CURRENT")); // nothing is made anew
  }
  std::filesystem::remove_all(directory);
  std::filesystem::rename(away, directory);
  target->reopen();
  target->commit(growing_batch(2));
  check_has(*target, 2);

  std::filesystem::remove_all(directory);
  std::filesystem::create_directory(directory);
  const auto problem = failure_of([&] { target->commit(growing_batch(3)); });
  CHECK(problem.code() == error_code::store_failed);
  CHECK(mentions(failure_of([&] { target->reopen(); }), "is gone"));
  check_has(*target, 2);
}
