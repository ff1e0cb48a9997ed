// A process that is killed, or loses its power, inside a commit: what is there afterwards is a
// prefix of its commits, without holes, up to the last acknowledged one at least.
#include "tests/storage/faulty_file_system.hpp"

#include "messages/error.hpp"
#include "storage/rocksdb_store.hpp"
#include "storage/store_key.hpp"
#include "tests/support/child_process.hpp"
#include "tests/support/temporary_directory.hpp"

#include <doctest/doctest.h>

#include <cstdio>
#include <cstdlib>

#include <fmt/format.h>

using namespace backtest;
using namespace backtest::testing;

namespace {

struct crash_point {
  const char* name;
  file_step at;
};

constexpr crash_point points[] = {
    {"before the write", file_step::append},
    {"in the middle of the write", file_step::append_torn},
    {"after the write", file_step::append_done},
    {"before the sync", file_step::sync},
    {"after the sync", file_step::sync_done},
};

/// Each batch touches every space, changes one row and is of another size.
store_batch numbered_batch(std::uint64_t number) {
  store_batch batch;
  const auto key = number_key_part(number);
  batch.put(store_space::journal, key, std::to_string(number));
  batch.put(store_space::state, "latest", std::to_string(number));
  batch.put(store_space::candles, key, std::string(number * 997 % 5000, 'c'));
  return batch;
}

std::string setting(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

/// What the store holds, checked for holes.
std::uint64_t committed(const store_reader& from) {
  const auto rows = from.scan(store_space::journal, "");
  for (std::size_t i = 0; i < rows.size(); ++i) {
    REQUIRE(rows[i].key == number_key_part(i + 1));
    REQUIRE(rows[i].value == std::to_string(i + 1));
    REQUIRE(from.get(store_space::candles, rows[i].key) == std::string((i + 1) * 997 % 5000, 'c'));
  }
  REQUIRE(from.scan(store_space::candles, "").size() == rows.size());
  if (!rows.empty())
    REQUIRE(from.get(store_space::state, "latest") == std::to_string(rows.size()));
  return rows.size();
}

/// The process below, which goes on in the directory and dies in the commit after `after` others.
struct dying_process : child_process {
  dying_process(const std::filesystem::path& directory, file_step point, bool power,
                std::uint64_t after)
      : child_process(
            {"/proc/self/exe", "--test-case=rocksdb crash: the process that dies", "--no-skip"},
            {fmt::format("BACKTEST_CRASH_DIRECTORY={}", directory.string()),
             fmt::format("BACKTEST_CRASH_POINT={}", static_cast<int>(point)),
             fmt::format("BACKTEST_CRASH_POWER={}", power ? 1 : 0),
             fmt::format("BACKTEST_CRASH_AFTER={}", after)}) {}
};

} // namespace

/// Not a test: what the tests below run in another process. Prints each acknowledged number.
TEST_CASE("rocksdb crash: the process that dies" * doctest::skip()) {
  const auto directory = setting("BACKTEST_CRASH_DIRECTORY");
  if (directory.empty())
    return;
  const auto point = static_cast<file_step>(std::stoi(setting("BACKTEST_CRASH_POINT")));
  const bool power = setting("BACKTEST_CRASH_POWER") == "1";
  const auto after = std::stoull(setting("BACKTEST_CRASH_AFTER"));
  const auto files = std::make_shared<faulty_file_system>();
  const auto target = open_rocksdb_store(directory, {files});
  auto number = committed(*target);
  const auto last = number + after;
  while (true) {
    ++number;
    if (number > last)
      files->set_hook([&](file_step step, const std::string& path) {
        if (step == point && is_write_ahead_log(path)) {
          if (power)
            files->cut_power();
          faulty_file_system::end_process();
        }
        return rocksdb::IOStatus::OK();
      });
    target->commit(numbered_batch(number));
    std::printf("acknowledged %llu\n", static_cast<unsigned long long>(number));
    std::fflush(stdout);
  }
}

TEST_CASE("rocksdb crash: what is there is a prefix up to the last acknowledged commit") {
  for (const bool power : {false, true}) {
    const temporary_directory directory;
    std::uint64_t acknowledged = 0;
    // One directory through all deaths: the next process goes on where the last one ended.
    for (const std::uint64_t after : {3U, 0U, 7U}) {
      for (const auto& point : points) {
        const std::string name = point.name;
        CAPTURE(name);
        CAPTURE(power);
        CAPTURE(after);
        dying_process child{directory.path(), point.at, power, after};
        std::uint64_t in_this_process = 0;
        constexpr std::string_view said = "acknowledged ";
        for (std::string line; child.read_line(line);)
          if (line.starts_with(said)) {
            acknowledged = std::stoull(line.substr(said.size()));
            ++in_this_process;
          }
        const int status = child.wait();
        REQUIRE(WIFSIGNALED(status));
        REQUIRE(WTERMSIG(status) == SIGKILL);
        REQUIRE(in_this_process == after);
        const auto found = committed(*open_rocksdb_store(directory.path()));
        // The commit it died in may be there; nobody was told so.
        REQUIRE(found >= acknowledged);
        REQUIRE(found <= acknowledged + 1);
        if (power && point.at != file_step::sync_done)
          REQUIRE(found == acknowledged);
        acknowledged = found;
      }
    }
  }
}

TEST_CASE("rocksdb crash: a reader beside a process that died sees what it committed") {
  const temporary_directory directory;
  dying_process child{directory.path(), file_step::append, false, 5};
  std::string line;
  while (child.read_line(line) && line != "acknowledged 2") {
  }
  REQUIRE(line == "acknowledged 2");
  const auto reader = open_rocksdb_reader(directory.path());
  CHECK(committed(*reader) >= 2);
  while (child.read_line(line)) {
  }
  child.wait();
  reader->refresh();
  CHECK(committed(*reader) == 5);
}

TEST_CASE("rocksdb crash: a directory belongs to a process until that is gone") {
  const temporary_directory directory;
  {
    dying_process child{directory.path(), file_step::append, false, 1'000'000'000};
    std::string line;
    while (child.read_line(line) && line != "acknowledged 2") {
    }
    REQUIRE(line == "acknowledged 2");
    const auto require_refusal = [&] {
      try {
        open_rocksdb_store(directory.path());
        FAIL("expected a failure");
      } catch (const failure& problem) {
        CHECK(problem.code() == error_code::already_running);
        CHECK(std::string{problem.what()}.find(directory.path().string()) != std::string::npos);
      }
    };
    require_refusal();
    std::filesystem::remove(directory.path() / "LOCK");
    require_refusal();
  }
  CHECK(committed(*open_rocksdb_store(directory.path())) >= 2);
}
