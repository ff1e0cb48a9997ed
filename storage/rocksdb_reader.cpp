#include "messages/error.hpp"
#include "storage/rocksdb_fail_stop_files.hpp"
#include "storage/rocksdb_store.hpp"
#include "storage/rocksdb_tables.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <set>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <rocksdb/env.h>
#include <unistd.h>

namespace backtest {

namespace {

namespace fs = std::filesystem;

/// Where RocksDB lets a reader keep its own log; gone with it.
class side_directory {
public:
  side_directory() {
    std::error_code problem;
    const auto parent = fs::temp_directory_path(problem);
    std::string name = (parent / "backtest-reader-XXXXXX").string();
    if (!problem && ::mkdtemp(name.data()) == nullptr)
      problem.assign(errno, std::generic_category());
    if (problem)
      throw failure(
          error_code::io_failed,
          fmt::format("{}: expected to create a temporary directory: {}", name, problem.message()));
    path_ = name;
  }
  side_directory(const side_directory&) = delete;
  side_directory& operator=(const side_directory&) = delete;
  ~side_directory() {
    std::error_code ignored; // a leftover in the temporary directory harms nobody
    fs::remove_all(path_, ignored);
  }

  std::string path() const { return path_.string(); }

private:
  fs::path path_;
};

/// The writer's logs, in order.
std::set<std::string> writer_logs(const fs::path& directory) {
  std::set<std::string> logs;
  std::error_code problem; // a directory that cannot be read fails in RocksDB, with its words
  for (const auto& file : fs::directory_iterator{directory, problem})
    if (auto name = file.path().filename().string(); name.ends_with(".log"))
      logs.insert(std::move(name));
  return logs;
}

/// A directory that is not there is none of the reader's business; one that is must be readable.
void require_readable(const fs::path& directory) {
  const int file = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (file < 0 && errno != ENOENT)
    throw failure(error_code::io_failed,
                  fmt::format("store {}: expected a directory that can be read: {}",
                              directory.string(), std::generic_category().message(errno)));
  if (file >= 0)
    ::close(file);
}

/// RocksDB's "secondary instance": reads the writer's tables and logs, writes nothing there.
class rocksdb_reader : public store_follower {
public:
  rocksdb_reader(const fs::path& directory, std::chrono::milliseconds patience)
      : directory_(directory), patience_(patience),
        environment_(rocksdb::NewCompositeEnv(
            std::make_shared<fail_stop_file_system>(rocksdb::FileSystem::Default(), no_reserve_))),
        tables_(directory, rocksdb_families(),
                [&](const auto& families, auto* handles, auto** database) {
                  auto options = rocksdb_database_options();
                  options.env = environment_.get();
                  options.create_if_missing = false;
                  options.create_missing_column_families = false;
                  // It keeps files open that the writer may delete meanwhile.
                  options.max_open_files = -1;
                  // The writer's current log is longer than the manifest says.
                  options.track_and_verify_wals_in_manifest = false;
                  return rocksdb::DB::OpenAsSecondary(options, directory.string(), side_.path(),
                                                      families, handles, database);
                }) {
    refresh(); // opening reads the tables, this the logs
  }

  std::optional<std::string> get(store_space space, std::string_view key) const override {
    return tables_.get(space, key, nullptr);
  }
  std::vector<store_entry> scan(store_space space, std::string_view prefix, std::string_view from,
                                std::size_t limit) const override {
    return tables_.scan(space, prefix, from, limit, nullptr);
  }
  std::optional<store_entry> last(store_space space, std::string_view prefix) const override {
    return tables_.last(space, prefix, nullptr);
  }

  void refresh() override {
    // It reads the manifest and then the logs. When the writer moves what is in a log to a table in
    // between and deletes the log, those batches are missing. So it is done again until no log went
    // meanwhile: new logs and tables do no harm, and logs go in the order in which they came. A
    // writer that fills a log every few milliseconds can make that take many attempts.
    const auto deadline = std::chrono::steady_clock::now() + patience_;
    std::chrono::milliseconds pause{0};
    rocksdb::Status status;
    do {
      const auto before = writer_logs(directory_);
      status = tables_.database().TryCatchUpWithPrimary();
      const auto after = writer_logs(directory_);
      if (status.ok() && std::includes(after.begin(), after.end(), before.begin(), before.end()))
        return;
      std::this_thread::sleep_for(pause);
      pause = std::min(pause + std::chrono::milliseconds{1}, std::chrono::milliseconds{20});
    } while (std::chrono::steady_clock::now() < deadline);
    if (status.ok())
      status = rocksdb::Status::TryAgain(
          fmt::format("the writer replaced its logs for {} ms without a pause", patience_.count()));
    fail_rocksdb(directory_, "catching up with its writer failed", status);
  }

private:
  fs::path directory_;
  std::chrono::milliseconds patience_;
  side_directory side_;
  disk_reserve no_reserve_{directory_, 0}; ///< it writes nothing but notes, beside
  std::unique_ptr<rocksdb::Env> environment_;
  rocksdb_tables tables_;
};

} // namespace

std::unique_ptr<store_follower> open_rocksdb_reader(const fs::path& directory,
                                                    std::chrono::milliseconds patience) {
  require_readable(directory);
  require_whole_store(directory);
  std::error_code ignored; // then RocksDB says what is wrong
  if (!fs::exists(directory / "CURRENT", ignored))
    throw failure(error_code::not_found,
                  fmt::format("store {}: nothing was stored here; expected a data directory",
                              directory.string()));
  return std::make_unique<rocksdb_reader>(directory, patience);
}

} // namespace backtest
