#include "messages/error.hpp"
#include "storage/rocksdb_store.hpp"
#include "storage/rocksdb_view.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <map>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

namespace backtest {

namespace {

namespace fs = std::filesystem;

/// The files that make up the store, and the length of those that grow. Two that are equal: nothing
/// has changed in between.
using files_seen = std::map<std::string, std::uintmax_t>;

files_seen look_at(const fs::path& directory) {
  files_seen found;
  std::error_code problem; // a directory that cannot be read fails in RocksDB, with its words
  for (fs::directory_iterator at{directory, problem}, end; !problem && at != end;
       at.increment(problem)) {
    auto name = at->path().filename().string();
    const bool grows = name.ends_with(".log") || name.starts_with("MANIFEST-");
    std::error_code gone;
    if (grows || name.ends_with(".sst"))
      found.emplace(std::move(name), grows ? at->file_size(gone) : 0);
  }
  return found;
}

/// Whether every log of `before` is still there.
bool keeps_logs_of(const files_seen& after, const files_seen& before) {
  return std::all_of(before.begin(), before.end(), [&](const auto& file) {
    return !file.first.ends_with(".log") || after.count(file.first) > 0;
  });
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

void require_begun(const fs::path& directory) {
  std::error_code ignored; // then RocksDB says what is wrong
  const auto nothing = [&](std::string_view why) {
    throw failure(error_code::not_found,
                  fmt::format("store {}: nothing was stored here{}; expected a data directory",
                              directory.string(), why));
  };
  if (!fs::exists(directory / "CURRENT", ignored))
    nothing("");
  if (!holds_rows(directory) && !fs::exists(commit_mark_path(directory), ignored))
    nothing(": its first start ended before the store was made, the next one makes it");
}

class rocksdb_reader : public store_follower {
public:
  rocksdb_reader(const fs::path& directory, std::chrono::milliseconds patience)
      : directory_(directory), patience_(patience) {
    refresh();
  }

  std::optional<std::string> get(store_space space, std::string_view key) const override {
    return view()->get(space, key);
  }
  std::vector<store_entry> scan(store_space space, std::string_view prefix, std::string_view from,
                                std::size_t limit) const override {
    return view()->scan(space, prefix, from, limit);
  }
  std::optional<store_entry> last(store_space space, std::string_view prefix) const override {
    return view()->last(space, prefix);
  }

  void refresh() override;

private:
  std::shared_ptr<const rocksdb_view> view() const {
    const std::lock_guard lock{mutex_};
    return view_;
  }
  std::shared_ptr<const rocksdb_view> open() const;

  fs::path directory_;
  std::chrono::milliseconds patience_;
  files_seen seen_; ///< when the view was opened
  mutable std::mutex mutex_;
  std::shared_ptr<const rocksdb_view> view_;
};

std::shared_ptr<const rocksdb_view> rocksdb_reader::open() const {
  // The mark first: what it knows is in the store by now.
  const auto mark = read_commit_mark(commit_mark_path(directory_));
  require_manifest(directory_, mark);
  auto next =
      std::make_shared<const rocksdb_view>(directory_, rocksdb_view::options{nullptr, true, false});
  require_acknowledged(directory_, next->tables(), *next, mark);
  return next;
}

void rocksdb_reader::refresh() {
  // Opening reads the manifest and then the logs. When the writer moves what is in a log to a table
  // in between and deletes the log, those batches are missing, or a table is gone. So it is done
  // again until no log went meanwhile: new logs and tables do no harm, and logs go in the order in
  // which they came. Where nothing changed, what is wrong is no writer's work.
  constexpr int attempts_without_change = 3; // a log may be caught in the middle of a write
  const auto deadline = std::chrono::steady_clock::now() + patience_;
  std::chrono::milliseconds pause{0};
  std::optional<failure> problem;
  int unchanged = 0;
  do {
    std::this_thread::sleep_for(pause);
    pause = std::min(pause + std::chrono::milliseconds{1}, std::chrono::milliseconds{20});
    auto before = look_at(directory_);
    if (view_ && before == seen_)
      return;
    try {
      auto next = open();
      problem.reset();
      if (keeps_logs_of(look_at(directory_), before)) {
        const std::lock_guard lock{mutex_};
        view_ = std::move(next);
        seen_ = std::move(before);
        return;
      }
    } catch (const failure& caught) {
      problem = caught;
      if (look_at(directory_) == before && ++unchanged == attempts_without_change)
        break;
    }
  } while (std::chrono::steady_clock::now() < deadline);
  if (problem)
    throw told_damage(directory_, *problem);
  throw failure(
      error_code::store_failed,
      fmt::format("store {}: cannot be read: its writer replaced its logs for {} ms without "
                  "a pause",
                  directory_.string(), patience_.count()));
}

} // namespace

std::unique_ptr<store_follower> open_rocksdb_reader(const fs::path& directory,
                                                    std::chrono::milliseconds patience) {
  require_readable(directory);
  require_no_unfinished_repair(directory);
  require_whole_store(directory);
  require_begun(directory);
  return std::make_unique<rocksdb_reader>(directory, patience);
}

} // namespace backtest
