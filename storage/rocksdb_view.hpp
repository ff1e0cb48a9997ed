#pragma once

// Shared by the RocksDB store, its reader and its repair; nothing else includes this.

#include "storage/commit_mark.hpp"
#include "storage/rocksdb_tables.hpp"

namespace backtest {

/// Beside the database, in its directory.
std::filesystem::path commit_mark_path(const std::filesystem::path& directory);

/// A database as it lies on the disk, opened without writing anything: its tables and what can be
/// read of its logs up to the first damage.
class rocksdb_view : public store_reader {
public:
  struct options {
    /// What files are read through; null: the system's. It must outlive the view.
    rocksdb::Env* environment = nullptr;
    /// Another process may write there, so files are kept open.
    bool has_writer = false;
    /// Opened in spite of tables that are missing or of another size, and read behind damage in a
    /// log, to see what there is. It is then no state the store ever had.
    bool tolerates_damage = false;
  };

  /// Throws as `open_rocksdb_reader`, `failure(store_lost)` for damage.
  rocksdb_view(const std::filesystem::path& directory, const options& how);

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

  rocksdb::DB& database() const noexcept { return tables_.database(); }
  const rocksdb_tables& tables() const noexcept { return tables_; }

private:
  rocksdb_tables tables_;
};

/// A table that the manifest names and that is not as it says.
struct damaged_table {
  std::string file;
  std::string family; ///< "" where the manifest cannot be read
  std::string smallest, largest;
  std::string problem;
};

/// Tables that are missing or of another size than the manifest says; none where that cannot be
/// read.
std::vector<damaged_table> find_damaged_tables(const std::filesystem::path& directory);

/// Throws `failure(store_lost)` when the manifest is older or shorter than `mark` knows.
void require_manifest(const std::filesystem::path& directory,
                      const std::optional<commit_mark>& mark);

/// Throws `failure(store_lost)` when `found` lacks what `mark` knows, naming journal numbers and
/// runs.
void require_acknowledged(const std::filesystem::path& directory, const rocksdb_tables& found,
                          const store_reader& rows, const std::optional<commit_mark>& mark);

/// Throws unless the store in `directory` can be opened without losing anything that `mark` knows;
/// a directory without a store holds what no mark knows. Writes nothing. Throws as `rocksdb_view`.
void require_undamaged(const std::filesystem::path& directory, rocksdb::Env* environment,
                       const std::optional<commit_mark>& mark);

/// The failure to open a directory, in words that say which tables are damaged, and what to do.
failure told_damage(const std::filesystem::path& directory, const failure& caught);

/// Directories of a repair, in the store's: what it made is complete and takes the place of the
/// store, whose files are moved aside first, then those of the new one in.
inline constexpr const char* repaired_name = "repaired";
inline constexpr const char* replacing_name = "replacing";

/// Throws `failure(store_failed)` in a directory whose repair was interrupted half way.
void require_no_unfinished_repair(const std::filesystem::path& directory);

} // namespace backtest
