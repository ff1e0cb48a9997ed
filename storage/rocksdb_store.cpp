#include "storage/rocksdb_store.hpp"

#include "messages/error.hpp"
#include "storage/directory_lock.hpp"
#include "storage/disk_reserve.hpp"
#include "storage/rocksdb_fail_stop_files.hpp"
#include "storage/rocksdb_tables.hpp"
#include "storage/rocksdb_view.hpp"

#include <algorithm>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <rocksdb/env.h>
#include <rocksdb/file_system.h>
#include <rocksdb/write_batch.h>
#include <unistd.h>

namespace backtest {

namespace {

namespace fs = std::filesystem;

/// RocksDB syncs what is in its directory; that the directory itself is there, only its parent
/// knows.
void sync_directory(const fs::path& directory) {
  const int file = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (file < 0)
    return; // not readable: then it was not us who created something in it
  ::fsync(file);
  ::close(file);
}

void create_durably(const fs::path& directory) {
  std::error_code problem;
  const auto whole = fs::absolute(directory);
  if (!fs::exists(whole, problem) && !problem) {
    if (whole.has_parent_path() && whole.parent_path() != whole)
      create_durably(whole.parent_path());
    fs::create_directory(whole, problem);
    sync_directory(whole.parent_path());
  }
  if (problem || !fs::is_directory(whole, problem))
    throw failure(error_code::io_failed,
                  fmt::format("store {}: expected a directory that exists or can be created: {}",
                              directory.string(),
                              problem ? problem.message() : "it is something else"));
}

/// Of the tables in a directory that is not opened yet.
std::uint64_t table_bytes_in(const fs::path& directory) {
  std::uint64_t bytes = 0;
  std::error_code problem; // opening it says what is wrong
  for (fs::directory_iterator at{directory, problem}, end; !problem && at != end;
       at.increment(problem)) {
    std::error_code gone;
    const auto size = at->path().extension() == ".sst" ? at->file_size(gone) : 0;
    bytes += gone ? 0 : size;
  }
  return bytes;
}

/// The database as it was at one moment; let go of before it is closed.
struct frozen_state {
  explicit frozen_state(rocksdb::DB& owner) : database(owner), at(owner.GetSnapshot()) {}
  frozen_state(const frozen_state&) = delete;
  frozen_state& operator=(const frozen_state&) = delete;
  ~frozen_state() { database.ReleaseSnapshot(at); }

  rocksdb::DB& database;
  const rocksdb::Snapshot* at;
};

class rocksdb_snapshot;

class rocksdb_store : public store {
public:
  rocksdb_store(const fs::path& directory, const rocksdb_options& options)
      : directory_(directory), given_(options), options_(rocksdb_database_options()),
        reserve_(directory, options.reserve_bytes) {
    create_durably(directory_);
    lock_.emplace(directory_); // beside RocksDB's own, which is a file that can be deleted
    open();
    options_.create_if_missing = false; // what vanishes is not made anew, as if it were empty
  }

  std::optional<std::string> get(store_space space, std::string_view key) const override {
    const std::shared_lock lock{mutex_};
    return tables().get(space, key, acknowledged()->at);
  }
  std::vector<store_entry> scan(store_space space, std::string_view prefix, std::string_view from,
                                std::size_t limit) const override {
    const std::shared_lock lock{mutex_};
    return tables().scan(space, prefix, from, limit, acknowledged()->at);
  }
  std::optional<store_entry> last(store_space space, std::string_view prefix) const override {
    const std::shared_lock lock{mutex_};
    return tables().last(space, prefix, acknowledged()->at);
  }

  void commit(const store_batch& batch) override;
  void reopen() override;
  std::unique_ptr<store_reader> snapshot() const override;

private:
  friend class rocksdb_snapshot;

  void open();
  void require_what_was_acknowledged();
  void keep_mark(std::optional<std::int64_t> journal_last);
  void close() noexcept;
  std::shared_ptr<const frozen_state> acknowledged() const;
  void acknowledge();
  std::optional<std::string> problem() const;
  void require_directory() const;
  void require_room(std::uint64_t bytes);
  void compact_if_there_is_room();

  const rocksdb_tables& tables() const {
    if (!tables_)
      throw failure(error_code::store_failed,
                    fmt::format("store {}: closed since it could not be opened again; expected a "
                                "reopen that succeeds",
                                directory_.string()));
    return *tables_;
  }

  fs::path directory_;
  rocksdb_options given_;
  rocksdb::DBOptions options_;
  disk_reserve reserve_;
  std::optional<directory_lock> lock_; ///< held through every reopen
  mutable std::shared_mutex mutex_; ///< reopen excludes every read; RocksDB does the rest
  std::shared_ptr<fail_stop_file_system> files_; ///< of the tables
  std::unique_ptr<rocksdb::Env> environment_;    ///< of the files
  std::unique_ptr<rocksdb_tables> tables_;
  std::optional<commit_mark> mark_; ///< of the last commit that was acknowledged
  std::optional<commit_mark_file> mark_file_;
  mutable std::mutex states_mutex_;
  std::shared_ptr<const frozen_state> acknowledged_; ///< what reads show
  mutable std::vector<rocksdb_snapshot*> snapshots_; ///< alive
  bool compacts_ = true;
  bool failed_ = false;
};

class rocksdb_snapshot : public store_reader {
public:
  /// The caller holds the store's mutex.
  explicit rocksdb_snapshot(const rocksdb_store& owner)
      : owner_(owner), frozen_(owner.acknowledged()) {
    const std::lock_guard lock{owner_.states_mutex_};
    owner_.snapshots_.push_back(this);
  }

  ~rocksdb_snapshot() override {
    const std::shared_lock lock{owner_.mutex_};
    const std::lock_guard list_lock{owner_.states_mutex_};
    std::erase(owner_.snapshots_, this);
    release();
  }

  /// The database is about to be closed, or this to go.
  void release() noexcept { frozen_.reset(); }

  std::optional<std::string> get(store_space space, std::string_view key) const override {
    const std::shared_lock lock{owner_.mutex_};
    return tables().get(space, key, frozen_->at);
  }
  std::vector<store_entry> scan(store_space space, std::string_view prefix, std::string_view from,
                                std::size_t limit) const override {
    const std::shared_lock lock{owner_.mutex_};
    return tables().scan(space, prefix, from, limit, frozen_->at);
  }
  std::optional<store_entry> last(store_space space, std::string_view prefix) const override {
    const std::shared_lock lock{owner_.mutex_};
    return tables().last(space, prefix, frozen_->at);
  }

private:
  const rocksdb_tables& tables() const {
    if (!frozen_)
      throw failure(error_code::store_failed,
                    fmt::format("store {}: a snapshot from before the store was reopened is used; "
                                "expected a new one",
                                owner_.directory_.string()));
    return owner_.tables();
  }

  const rocksdb_store& owner_;
  std::shared_ptr<const frozen_state> frozen_; ///< null once the store was reopened
};

/// Opening for writing takes up to the first damage of a log for all there is, and removes the
/// rest. So it is read before, and compared with the mark.
void rocksdb_store::require_what_was_acknowledged() {
  std::unique_ptr<rocksdb::Env> through;
  if (given_.file_system)
    through = rocksdb::NewCompositeEnv(given_.file_system);
  const auto known = mark_ ? mark_ : read_commit_mark(commit_mark_path(directory_));
  require_undamaged(directory_, through.get(), known);
}

/// Writes down what is acknowledged next.
void rocksdb_store::keep_mark(std::optional<std::int64_t> journal_last) {
  const auto manifest = files_->manifest();
  const commit_mark next{tables().database().GetLatestSequenceNumber(),
                         std::max(journal_last.value_or(0), mark_ ? mark_->journal_last : 0),
                         manifest.number, manifest.bytes};
  if (!mark_file_)
    mark_file_.emplace(commit_mark_path(directory_), next);
  mark_file_->write(next);
  mark_ = next;
}

void rocksdb_store::open() {
  require_what_was_acknowledged();
  files_ = std::make_shared<fail_stop_file_system>(
      given_.file_system ? given_.file_system : rocksdb::FileSystem::Default(), reserve_);
  environment_ = rocksdb::NewCompositeEnv(files_);
  options_.env = environment_.get();
  compacts_ = reserve_.leaves(compaction_bytes(table_bytes_in(directory_)));
  try {
    tables_ = std::make_unique<rocksdb_tables>(
        directory_, rocksdb_families(given_.write_buffer_bytes, compacts_),
        [this](const auto& families, auto* handles, auto** database) {
          auto options = options_;
          options.create_missing_column_families = !holds_rows(directory_);
          return rocksdb::DB::Open(options, directory_.string(), families, handles, database);
        });
    acknowledge();
    if (const auto found = problem())
      throw failure(error_code::store_failed,
                    fmt::format("store {}: cannot be opened: {}", directory_.string(), *found));
    keep_mark(newest_journal_number(tables_->last(store_space::journal, {}, nullptr)));
  } catch (...) {
    close();
    throw;
  }
  failed_ = false;
}

/// The caller excludes every read.
void rocksdb_store::close() noexcept {
  for (auto* snapshot : snapshots_)
    snapshot->release();
  acknowledged_.reset();
  tables_.reset();
}

std::shared_ptr<const frozen_state> rocksdb_store::acknowledged() const {
  tables(); // throws where there is nothing to read
  const std::lock_guard lock{states_mutex_};
  return acknowledged_;
}

void rocksdb_store::acknowledge() {
  auto next = std::make_shared<const frozen_state>(tables().database());
  const std::lock_guard lock{states_mutex_};
  acknowledged_.swap(next);
}

/// Of the database's files, whoever wrote them: a commit, or RocksDB's own threads.
std::optional<std::string> rocksdb_store::problem() const { return files_->problem(); }

void rocksdb_store::require_directory() const {
  std::error_code unknown;
  if (!fs::exists(directory_ / "CURRENT", unknown))
    throw failure(
        error_code::store_failed,
        fmt::format("store {}: the data directory is gone, or what is in it cannot be read "
                    "({}); expected it back as it was",
                    directory_.string(), unknown ? unknown.message() : "it has no file CURRENT"));
}

void rocksdb_store::require_room(std::uint64_t bytes) {
  const auto missing = reserve_.hold(bytes);
  if (!missing)
    return;
  require_directory();
  throw failure(error_code::store_failed,
                fmt::format("store {}: {}", directory_.string(), *missing));
}

void rocksdb_store::commit(const store_batch& batch) {
  if (batch.empty())
    return;
  const std::shared_lock lock{mutex_};
  const auto& open_tables = tables();
  if (failed_)
    throw failure(error_code::store_failed,
                  fmt::format("store {}: refuses a batch of {} writes since an earlier one failed; "
                              "expected a reopen first",
                              directory_.string(), batch.size()));
  const std::size_t bytes = batch.bytes() + batch.size() * 16;
  require_room(bytes);
  compact_if_there_is_room();
  rocksdb::WriteBatch writes{bytes};
  for (const auto& write : batch) {
    auto* table = open_tables.table(write.space);
    const auto status =
        write.value ? writes.Put(table, write.key, *write.value) : writes.Delete(table, write.key);
    if (!status.ok())
      fail_rocksdb(directory_, "a batch cannot be built", status);
  }
  rocksdb::WriteOptions options;
  options.sync = true; // durable when it returns
  auto status = problem() ? rocksdb::Status::OK() : open_tables.database().Write(options, &writes);
  // RocksDB is told that every file was written; only when that is true the batch is there.
  if (const auto found = problem())
    status = rocksdb::Status::IOError(*found);
  if (status.ok()) {
    failed_ = true; // until that is written down
    keep_mark(last_journal_number(batch));
    failed_ = false;
    return acknowledge();
  }
  failed_ = true;
  fail_rocksdb(directory_, fmt::format("committing {} writes failed", batch.size()), status);
}

/// Tables that are put together take their room twice for a while. Where that is not there, they
/// stay as they are: commits need less.
void rocksdb_store::compact_if_there_is_room() {
  const auto needed = compaction_bytes(tables().bytes_on_disk());
  const bool has_room = reserve_.leaves(compacts_ ? needed : 2 * needed); // not to and fro
  if (has_room != compacts_)
    tables_->set_compacting(has_room);
  compacts_ = has_room;
}

void rocksdb_store::reopen() {
  const std::unique_lock lock{mutex_};
  if (!failed_ && tables_ && !problem())
    return;
  // While these are missing, reads go on.
  require_directory();
  require_room(0);
  close();
  open();
}

std::unique_ptr<store_reader> rocksdb_store::snapshot() const {
  const std::shared_lock lock{mutex_};
  return std::make_unique<rocksdb_snapshot>(*this);
}

} // namespace

std::unique_ptr<store> open_rocksdb_store(const fs::path& directory,
                                          const rocksdb_options& options) {
  return std::make_unique<rocksdb_store>(directory, options);
}

} // namespace backtest
