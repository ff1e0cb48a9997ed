#pragma once

// Shared by the RocksDB store and its reader; nothing else includes this.

#include "storage/store.hpp"

#include <array>
#include <filesystem>
#include <functional>

#include <rocksdb/db.h>
#include <rocksdb/options.h>

namespace backtest {

/// Options of the database and of each of its column families, for the writer.
rocksdb::DBOptions rocksdb_database_options();
/// `write_buffer_bytes`: of each table in memory, 0 for the usual; `compacts`: tables are put
/// together by themselves.
std::vector<rocksdb::ColumnFamilyDescriptor> rocksdb_families(std::size_t write_buffer_bytes = 0,
                                                              bool compacts = true);

/// What one step of putting tables together may take, when they hold that many bytes.
std::uint64_t compaction_bytes(std::uint64_t table_bytes) noexcept;

/// Throws `failure(store_failed)` naming the directory, what was tried and RocksDB's reason.
[[noreturn]] void fail_rocksdb(const std::filesystem::path& directory, std::string_view what,
                               const rocksdb::Status& status);

/// Throws `failure(store_failed)` for a directory whose file CURRENT is missing, though something
/// was stored, or is not what it should be: RocksDB would begin a new store in the place of the old
/// one, or read whatever is there to its end.
void require_whole_store(const std::filesystem::path& directory);

/// Whether something was ever stored in a directory. Then its manifest names every column family,
/// and one that does not was cut short: to create what it lacks would begin a new store.
bool holds_rows(const std::filesystem::path& directory);

/// An open database with its column families, closed with it.
class rocksdb_tables {
public:
  using opener = std::function<rocksdb::Status(
      const std::vector<rocksdb::ColumnFamilyDescriptor>& families,
      std::vector<rocksdb::ColumnFamilyHandle*>* handles, rocksdb::DB** database)>;

  /// Throws as `open_rocksdb_store`.
  rocksdb_tables(std::filesystem::path directory,
                 const std::vector<rocksdb::ColumnFamilyDescriptor>& families, const opener& open);
  rocksdb_tables(const rocksdb_tables&) = delete;
  rocksdb_tables& operator=(const rocksdb_tables&) = delete;
  ~rocksdb_tables();

  rocksdb::DB& database() const noexcept { return *database_; }
  rocksdb::ColumnFamilyHandle* table(store_space space) const noexcept {
    return handles_[1 + static_cast<std::size_t>(space)]; // after RocksDB's own "default"
  }

  /// As `store_reader`, at `snapshot` or, when that is null, now.
  std::optional<std::string> get(store_space space, std::string_view key,
                                 const rocksdb::Snapshot* snapshot) const;
  std::vector<store_entry> scan(store_space space, std::string_view prefix, std::string_view from,
                                std::size_t limit, const rocksdb::Snapshot* snapshot) const;
  std::optional<store_entry> last(store_space space, std::string_view prefix,
                                  const rocksdb::Snapshot* snapshot) const;

  /// Of all tables on the disk.
  std::uint64_t bytes_on_disk() const;
  /// Whether tables are put together by themselves from now on.
  void set_compacting(bool compacts);

private:
  std::filesystem::path directory_;
  std::unique_ptr<rocksdb::DB> database_;
  std::vector<rocksdb::ColumnFamilyHandle*> handles_;
};

} // namespace backtest
