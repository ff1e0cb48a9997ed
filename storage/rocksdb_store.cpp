#include "storage/rocksdb_store.hpp"

#include "messages/error.hpp"
#include "storage/rocksdb_tables.hpp"

#include <mutex>
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

class rocksdb_snapshot;

class rocksdb_store : public store {
public:
  rocksdb_store(const fs::path& directory, const rocksdb_options& options)
      : directory_(directory), options_(rocksdb_database_options()) {
    create_durably(directory_);
    if (options.file_system) {
      environment_ = rocksdb::NewCompositeEnv(options.file_system);
      options_.env = environment_.get();
    }
    open();
  }

  std::optional<std::string> get(store_space space, std::string_view key) const override {
    const std::shared_lock lock{mutex_};
    return tables().get(space, key, nullptr);
  }
  std::vector<store_entry> scan(store_space space, std::string_view prefix, std::string_view from,
                                std::size_t limit) const override {
    const std::shared_lock lock{mutex_};
    return tables().scan(space, prefix, from, limit, nullptr);
  }
  std::optional<store_entry> last(store_space space, std::string_view prefix) const override {
    const std::shared_lock lock{mutex_};
    return tables().last(space, prefix, nullptr);
  }

  void commit(const store_batch& batch) override;
  void reopen() override;
  std::unique_ptr<store_reader> snapshot() const override;

private:
  friend class rocksdb_snapshot;

  void open() {
    tables_ = std::make_unique<rocksdb_tables>(
        directory_, [this](const auto& families, auto* handles, auto** database) {
          auto options = options_;
          options.create_missing_column_families = !holds_rows(directory_);
          return rocksdb::DB::Open(options, directory_.string(), families, handles, database);
        });
  }

  const rocksdb_tables& tables() const {
    if (!tables_)
      throw failure(error_code::store_failed,
                    fmt::format("store {}: closed since it could not be opened again; expected a "
                                "reopen that succeeds",
                                directory_.string()));
    return *tables_;
  }

  fs::path directory_;
  std::unique_ptr<rocksdb::Env> environment_;
  rocksdb::DBOptions options_;
  mutable std::shared_mutex mutex_; ///< reopen excludes every read; RocksDB does the rest
  std::unique_ptr<rocksdb_tables> tables_;
  mutable std::mutex snapshots_mutex_;
  mutable std::vector<rocksdb_snapshot*> snapshots_; ///< alive
  bool failed_ = false;
};

class rocksdb_snapshot : public store_reader {
public:
  /// The caller holds the store's mutex.
  explicit rocksdb_snapshot(const rocksdb_store& owner)
      : owner_(owner), frozen_(owner.tables().database().GetSnapshot()) {
    const std::lock_guard lock{owner_.snapshots_mutex_};
    owner_.snapshots_.push_back(this);
  }

  ~rocksdb_snapshot() override {
    const std::shared_lock lock{owner_.mutex_};
    const std::lock_guard list_lock{owner_.snapshots_mutex_};
    std::erase(owner_.snapshots_, this);
    release();
  }

  /// The database is about to be closed, or this to go.
  void release() {
    if (frozen_ != nullptr)
      owner_.tables().database().ReleaseSnapshot(frozen_);
    frozen_ = nullptr;
  }

  std::optional<std::string> get(store_space space, std::string_view key) const override {
    const std::shared_lock lock{owner_.mutex_};
    return tables().get(space, key, frozen_);
  }
  std::vector<store_entry> scan(store_space space, std::string_view prefix, std::string_view from,
                                std::size_t limit) const override {
    const std::shared_lock lock{owner_.mutex_};
    return tables().scan(space, prefix, from, limit, frozen_);
  }
  std::optional<store_entry> last(store_space space, std::string_view prefix) const override {
    const std::shared_lock lock{owner_.mutex_};
    return tables().last(space, prefix, frozen_);
  }

private:
  const rocksdb_tables& tables() const {
    if (frozen_ == nullptr)
      throw failure(error_code::store_failed,
                    fmt::format("store {}: a snapshot from before the store was reopened is used; "
                                "expected a new one",
                                owner_.directory_.string()));
    return owner_.tables();
  }

  const rocksdb_store& owner_;
  const rocksdb::Snapshot* frozen_; ///< null once the store was reopened
};

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
  rocksdb::WriteBatch writes{batch.bytes() + batch.size() * 16};
  for (const auto& write : batch) {
    auto* table = open_tables.table(write.space);
    const auto status =
        write.value ? writes.Put(table, write.key, *write.value) : writes.Delete(table, write.key);
    if (!status.ok())
      fail_rocksdb(directory_, "a batch cannot be built", status);
  }
  rocksdb::WriteOptions options;
  options.sync = true; // durable when it returns
  const auto status = open_tables.database().Write(options, &writes);
  if (status.ok())
    return;
  failed_ = true;
  fail_rocksdb(directory_, fmt::format("committing {} writes failed", batch.size()), status);
}

void rocksdb_store::reopen() {
  const std::unique_lock lock{mutex_};
  if (!failed_ && tables_)
    return;
  for (auto* snapshot : snapshots_)
    snapshot->release();
  tables_.reset();
  open();
  failed_ = false;
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
