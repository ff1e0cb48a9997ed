// Writes, syncs, renames, allocations and so on of the RocksDB store fail, each in a life of its
// own: once, or from there on until the disk is well again. In other processes, as the library
// ends its process where it meets what it does not expect. BACKTEST_EVERY_FAULT=1 lets each of
// them fail instead of a sample, which takes minutes.
#include "tests/storage/faulty_file_system.hpp"

#include "messages/error.hpp"
#include "storage/rocksdb_store.hpp"
#include "storage/store_key.hpp"
#include "tests/support/child_process.hpp"
#include "tests/support/temporary_directory.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <random>
#include <system_error>
#include <vector>

#include <fmt/format.h>

using namespace backtest;
using namespace backtest::testing;

namespace {

constexpr int batches = 14; // enough for tables to be written and put together
constexpr std::size_t row_bytes = 30'000;
constexpr int tries_while_broken = 3;

/// As RocksDB's own files say it.
rocksdb::IOStatus status_of(int error_number) {
  const auto text = std::generic_category().message(error_number) + " (by the test)";
  if (error_number != ENOSPC)
    return rocksdb::IOStatus::IOError(text);
  auto status = rocksdb::IOStatus::NoSpace(text);
  status.SetRetryable(true);
  return status;
}

/// Does not become small when compressed.
std::string make_row(std::uint64_t number) {
  std::mt19937_64 random{number};
  std::string bytes(row_bytes, ' ');
  for (auto& c : bytes)
    c = static_cast<char>(random());
  return bytes;
}

const std::string& row_of(std::uint64_t number) {
  static const auto rows = [] {
    std::vector<std::string> made;
    for (std::uint64_t i = 0; i <= batches + 1; ++i)
      made.push_back(make_row(i));
    return made;
  }();
  return rows.at(number);
}

store_batch batch_of(std::uint64_t number) {
  store_batch batch;
  const auto key = number_key_part(number);
  batch.put(store_space::journal, key, row_of(number));
  batch.put(store_space::candles, number_key_part(number % 3), row_of(number + 1));
  batch.put(store_space::state, "latest", std::to_string(number));
  return batch;
}

/// How many batches are there; each whole, without holes.
std::uint64_t held(const store_reader& from) {
  const auto rows = from.scan(store_space::journal, "");
  const auto latest = from.get(store_space::state, "latest").value_or("0");
  REQUIRE(latest == std::to_string(rows.size()));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    REQUIRE(rows[i].key == number_key_part(i + 1));
    REQUIRE(rows[i].value == row_of(i + 1));
  }
  if (!rows.empty())
    REQUIRE(from.get(store_space::candles, number_key_part(rows.size() % 3)) ==
            row_of(rows.size() + 1));
  return rows.size();
}

/// Lets the change with a number fail.
class fault {
public:
  fault(std::shared_ptr<faulty_file_system> files, int number, int error_number, bool lasts)
      : files_(std::move(files)) {
    files_->set_hook([this, number, error_number, lasts](file_step, const std::string&) {
      const int at = ++seen_;
      const bool fails = lasts ? at >= number && !mended_ : at == number;
      return fails ? status_of(error_number) : rocksdb::IOStatus::OK();
    });
  }
  ~fault() { files_->set_hook({}); }
  void mend() { mended_ = true; }
  int seen() const { return seen_; }

private:
  std::shared_ptr<faulty_file_system> files_;
  std::atomic<int> seen_{0};
  std::atomic<bool> mended_{false};
};

/// One life of a store; the changes that were seen.
int live_through(int number, int error_number, bool lasts) {
  const temporary_directory directory;
  const auto files = std::make_shared<faulty_file_system>();
  rocksdb_options options;
  options.file_system = files;
  options.reserve_bytes = 4096;
  options.write_buffer_bytes = 65'536;
  int seen = 0;
  {
    fault broken{files, number, error_number, lasts};
    int tries = 0;
    const auto refused = [&](const failure& problem) {
      REQUIRE(problem.code() == error_code::store_failed);
      REQUIRE(std::string{problem.what()}.find(directory.path().string()) != std::string::npos);
      REQUIRE(++tries < 100);
      if (tries >= tries_while_broken)
        broken.mend();
    };
    std::unique_ptr<store> target;
    while (!target)
      try {
        target = open_rocksdb_store(directory.path(), options);
      } catch (const failure& problem) {
        refused(problem);
      }
    for (std::uint64_t batch = 1; batch <= batches; ++batch)
      for (bool acknowledged = false; !acknowledged;)
        try {
          target->reopen();
          // Its outcome is unknown after a failure; nothing else may be there.
          const auto found = held(*target);
          REQUIRE(found >= batch - 1);
          REQUIRE(found <= batch);
          target->commit(batch_of(batch));
          acknowledged = true;
          REQUIRE(held(*target) == batch);
        } catch (const failure& problem) {
          refused(problem);
        }
    seen = broken.seen();
  }
  REQUIRE(held(*open_rocksdb_store(directory.path(), options)) == batches);
  return seen;
}

std::string fault_setting(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

} // namespace

TEST_CASE("rocksdb: the reserve serves a write also when another thread gave it away or made it whole "
          "meanwhile") {
  const temporary_directory directory;
  const auto reserve = directory.path() / "RESERVED_SPACE";
  const auto files = std::make_shared<faulty_file_system>();
  rocksdb_options options;
  options.file_system = files;
  options.reserve_bytes = 4096;
  const auto target = open_rocksdb_store(directory.path(), options);
  target->commit(batch_of(1));
  // At the first try another one has taken the reserve, at the second it is whole again.
  std::atomic<int> tries{0};
  files->set_hook([&](file_step step, const std::string& path) {
    if (step != file_step::allocate || !path.ends_with(".log") || tries >= 2)
      return rocksdb::IOStatus::OK();
    if (++tries == 1)
      std::filesystem::remove(reserve);
    else
      std::ofstream{reserve} << std::string(4096, ' ');
    return status_of(ENOSPC);
  });
  target->commit(batch_of(2));
  files->set_hook({});
  CHECK(tries == 2);
  CHECK(held(*target) == 2);
}

/// Not a test: what the one below runs in another process.
TEST_CASE("rocksdb faults: the process that meets them" * doctest::skip()) {
  const auto error_number = fault_setting("BACKTEST_FAULT_ERROR");
  if (error_number.empty())
    return;
  const bool lasts = fault_setting("BACKTEST_FAULT_LASTS") == "1";
  const int step = std::stoi(fault_setting("BACKTEST_FAULT_STEP"));
  int seen = INT_MAX;
  for (int number = std::stoi(fault_setting("BACKTEST_FAULT_FIRST")); number <= seen;
       number += step) {
    std::printf("fault %d\n", number);
    std::fflush(stdout);
    seen = live_through(number, std::stoi(error_number), lasts);
  }
  std::printf("all\n");
  std::fflush(stdout);
}

TEST_CASE("rocksdb faults: whatever fails, nothing is lost and the process lives") {
  struct kind {
    int error_number;
    bool lasts;
    int step; ///< between the changes that fail
  };
  struct faulty_life {
    kind what;
    std::unique_ptr<child_process> child;
  };
  const bool every = fault_setting("BACKTEST_EVERY_FAULT") == "1";
  constexpr int processes = 3; // for each kind: RocksDB sleeps for a second after some failures
  std::vector<faulty_life> lives;
  for (const auto& kind : {kind{ENOSPC, true, 5}, kind{ENOSPC, false, 11}, kind{EIO, true, 11},
                           kind{EIO, false, 11}, kind{EDQUOT, true, 23}, kind{EROFS, true, 23}})
    for (int number = 0; number < processes; ++number)
      lives.push_back(
          {kind,
           std::make_unique<child_process>(
               std::vector<std::string>{"/proc/self/exe",
                                        "--test-case=rocksdb faults: the process that meets them",
                                        "--no-skip"},
               std::vector<std::string>{
                   fmt::format("BACKTEST_FAULT_ERROR={}", kind.error_number),
                   fmt::format("BACKTEST_FAULT_LASTS={}", kind.lasts ? 1 : 0),
                   fmt::format("BACKTEST_FAULT_FIRST={}", 1 + number * (every ? 1 : kind.step)),
                   fmt::format("BACKTEST_FAULT_STEP={}", processes * (every ? 1 : kind.step))})});
  for (const auto& life : lives) {
    const auto name = std::generic_category().message(life.what.error_number);
    const auto& child = life.child;
    CAPTURE(name);
    CAPTURE(life.what.lasts);
    std::string last;
    std::string told;
    int faults = 0;
    bool all = false;
    for (std::string line; child->read_line(line);) {
      told += line + "\n";
      all = all || line == "all";
      if (!line.starts_with("fault "))
        continue;
      told.clear();
      last = line;
      ++faults;
    }
    CAPTURE(last);
    CAPTURE(told);
    const int status = child->wait();
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 0);
    CHECK(all);
    CHECK(faults >= 3);
  }
}
