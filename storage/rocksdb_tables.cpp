#include "storage/rocksdb_tables.hpp"

#include "messages/error.hpp"
#include "storage/directory_lock.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <rocksdb/convenience.h>
#include <rocksdb/iterator.h>
#include <rocksdb/table.h>

namespace backtest {

namespace {

constexpr std::size_t kibibyte = 1024;
constexpr std::size_t mebibyte = 1024 * kibibyte;

/// RocksDB compares the bytes of empty slices too, so they must have an address.
rocksdb::Slice slice_of(std::string_view text) noexcept {
  return {text.empty() ? "" : text.data(), text.size()};
}

/// The distribution's library has LZ4; another one may not.
rocksdb::CompressionType available_compression() {
  const auto known = rocksdb::GetSupportedCompressions();
  return std::find(known.begin(), known.end(), rocksdb::kLZ4Compression) == known.end()
             ? rocksdb::kNoCompression
             : rocksdb::kLZ4Compression;
}

rocksdb::ColumnFamilyOptions family_options(std::size_t block_bytes, std::size_t write_buffer,
                                            bool compacts,
                                            const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::BlockBasedTableOptions table;
  table.block_size = block_bytes;
  table.block_cache = cache;
  // Index and filters count against the cache's budget too.
  table.cache_index_and_filter_blocks = true;
  rocksdb::ColumnFamilyOptions options;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  options.write_buffer_size = write_buffer;
  options.max_write_buffer_number = 2;
  options.target_file_size_base = 8 * mebibyte;
  options.compression = available_compression();
  options.disable_auto_compactions = !compacts;
  return options;
}

rocksdb::ReadOptions reading_at(const rocksdb::Snapshot* snapshot) {
  rocksdb::ReadOptions options;
  options.snapshot = snapshot;
  // No range is ever deleted. Looking for such ranges, an iterator of RocksDB 7.8 passes over a
  // table whose first block is damaged as if it were not there, and says nothing.
  options.ignore_range_deletions = true;
  return options;
}

bool is_locked(const rocksdb::Status& status) {
  const std::string reason = status.ToString();
  return reason.find("While lock file") != std::string::npos ||
         reason.find("lock hold by current process") != std::string::npos;
}

} // namespace

rocksdb::DBOptions rocksdb_database_options() {
  rocksdb::DBOptions options;
  options.create_if_missing = true;
  options.create_missing_column_families = true;
  // A torn or lost record ends recovery, so that what comes back is a prefix without holes. The
  // modes that skip over a bad record would leave a hole, the strictest would refuse to start
  // after every power cut.
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  // The manifest lists the logs and their synced sizes: a log that vanished or lost its end is an
  // error instead of a silent hole.
  options.track_and_verify_wals_in_manifest = true;
  // What does not fit its checksum is an error at once, in background work too.
  options.paranoid_checks = true;
  // Nobody but `reopen` resumes after an error: a write whose fate is unknown must be known to the
  // one who made it before anything else is written.
  options.max_bgerror_resume_count = 0;
  // Recovered logs become tables when opening, so that a log with a torn end is gone before the
  // next one is written behind it.
  options.avoid_flush_during_recovery = false;
  // A live node writes a few rows a minute: two threads and tens of mebibytes are plenty.
  options.max_background_jobs = 2;
  options.db_write_buffer_size = 16 * mebibyte;
  options.max_open_files = 256;
  // Short logs are read back quickly when starting.
  options.max_total_wal_size = 16 * mebibyte;
  // Few and small files for people, and no thread that measures.
  options.info_log_level = rocksdb::InfoLogLevel::WARN_LEVEL;
  options.keep_log_file_num = 2;
  options.max_log_file_size = mebibyte;
  options.max_manifest_file_size = 4 * mebibyte;
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  return options;
}

std::vector<rocksdb::ColumnFamilyDescriptor> rocksdb_families(std::size_t write_buffer_bytes,
                                                              bool compacts) {
  const auto cache = rocksdb::NewLRUCache(16 * mebibyte);
  const auto options = [&](std::size_t block_bytes, std::size_t usual_buffer) {
    return family_options(block_bytes, write_buffer_bytes > 0 ? write_buffer_bytes : usual_buffer,
                          compacts, cache);
  };
  const auto rows = options(8 * kibibyte, 4 * mebibyte);
  // A value of candles is tens of kibibytes and read as a whole.
  const auto blocks = options(64 * kibibyte, 8 * mebibyte);
  return {{rocksdb::kDefaultColumnFamilyName, rows},
          {std::string{to_string(store_space::state)}, rows},
          {std::string{to_string(store_space::journal)}, rows},
          {std::string{to_string(store_space::candles)}, blocks}};
}

void fail_rocksdb(const std::filesystem::path& directory, std::string_view what,
                  const rocksdb::Status& status) {
  throw failure(error_code::store_failed,
                fmt::format("store {}: {}: {}", directory.string(), what, status.ToString()));
}

void require_whole_store(const std::filesystem::path& directory) {
  namespace fs = std::filesystem;
  constexpr std::uintmax_t longest_name = 4096;
  const auto damaged = [&](std::string_view what) {
    throw failure(error_code::store_failed, fmt::format("store {}: {}", directory.string(), what));
  };
  std::error_code unknown; // a directory that cannot be read fails in RocksDB, with its words
  const auto current = directory / "CURRENT";
  if (fs::is_directory(current, unknown))
    damaged("its file CURRENT is a directory; expected the name of a manifest");
  if (fs::exists(current, unknown)) {
    if (fs::file_size(current, unknown) > longest_name && !unknown)
      damaged("its file CURRENT is damaged; expected the name of a manifest");
    return;
  }
  // The first manifest comes before CURRENT: a process may have ended in between.
  for (const auto& file : fs::directory_iterator{directory, unknown})
    if (const auto name = file.path().filename().string();
        name.starts_with("MANIFEST-") && name != "MANIFEST-000001")
      damaged("its file CURRENT is missing, but there is a manifest; expected both or none, as a "
              "new store would take the place of what is stored");
}

bool holds_rows(const std::filesystem::path& directory) {
  std::error_code unknown; // a directory that cannot be read fails in RocksDB, with its words
  for (const auto& file : std::filesystem::directory_iterator{directory, unknown})
    if (const auto kind = file.path().extension();
        kind == ".sst" ||
        (kind == ".log" && file.is_regular_file(unknown) && file.file_size(unknown) > 0))
      return true;
  return false;
}

std::uint64_t compaction_bytes(std::uint64_t table_bytes) noexcept {
  // RocksDB takes up to 25 tables of a level in one step, and those they overlap with.
  constexpr std::uint64_t longest = 512 * mebibyte;
  return std::min(table_bytes, longest);
}

rocksdb_tables::rocksdb_tables(std::filesystem::path directory,
                               const std::vector<rocksdb::ColumnFamilyDescriptor>& families,
                               const opener& open)
    : directory_(std::move(directory)) {
  require_whole_store(directory_);
  rocksdb::DB* database = nullptr;
  const auto status = open(families, &handles_, &database);
  database_.reset(database);
  if (status.ok())
    return;
  if (is_locked(status))
    throw already_written_to(directory_);
  if (status.IsCorruption()) // trying again would not mend it
    throw failure(error_code::store_lost,
                  fmt::format("store {}: damaged: {}", directory_.string(), status.ToString()));
  fail_rocksdb(directory_, "cannot be opened", status);
}

rocksdb_tables::~rocksdb_tables() {
  for (auto* handle : handles_)
    database_->DestroyColumnFamilyHandle(handle).PermitUncheckedError();
}

std::uint64_t rocksdb_tables::bytes_on_disk() const {
  std::uint64_t bytes = 0;
  for (auto* handle : handles_) {
    std::uint64_t of_family = 0;
    if (database_->GetIntProperty(handle, rocksdb::DB::Properties::kTotalSstFilesSize, &of_family))
      bytes += of_family;
  }
  return bytes;
}

void rocksdb_tables::set_compacting(bool compacts) {
  for (auto* handle : handles_) // where it fails, the next commit hears why
    database_->SetOptions(handle, {{"disable_auto_compactions", compacts ? "false" : "true"}})
        .PermitUncheckedError();
}

std::optional<std::string> rocksdb_tables::get(store_space space, std::string_view key,
                                               const rocksdb::Snapshot* snapshot) const {
  std::string value;
  const auto status = database_->Get(reading_at(snapshot), table(space), slice_of(key), &value);
  if (status.IsNotFound())
    return std::nullopt;
  if (!status.ok())
    fail_rocksdb(directory_, fmt::format("reading a key of {} failed", to_string(space)), status);
  return value;
}

std::vector<store_entry> rocksdb_tables::scan(store_space space, std::string_view prefix,
                                              std::string_view from, std::size_t limit,
                                              const rocksdb::Snapshot* snapshot) const {
  std::vector<store_entry> found;
  const auto end = end_of_prefix(prefix);
  const rocksdb::Slice bound = end ? slice_of(*end) : rocksdb::Slice{};
  auto options = reading_at(snapshot);
  options.iterate_upper_bound = end ? &bound : nullptr;
  const std::unique_ptr<rocksdb::Iterator> at{database_->NewIterator(options, table(space))};
  for (at->Seek(slice_of(std::max(prefix, from)));
       at->Valid() && found.size() < limit && at->key().starts_with(slice_of(prefix)); at->Next())
    found.push_back({at->key().ToString(), at->value().ToString()});
  if (!at->status().ok())
    fail_rocksdb(directory_, fmt::format("scanning {} failed", to_string(space)), at->status());
  return found;
}

std::optional<store_entry> rocksdb_tables::last(store_space space, std::string_view prefix,
                                                const rocksdb::Snapshot* snapshot) const {
  const auto end = end_of_prefix(prefix);
  const rocksdb::Slice bound = end ? slice_of(*end) : rocksdb::Slice{};
  auto options = reading_at(snapshot);
  options.iterate_upper_bound = end ? &bound : nullptr;
  const std::unique_ptr<rocksdb::Iterator> at{database_->NewIterator(options, table(space))};
  at->SeekToLast();
  if (!at->status().ok())
    fail_rocksdb(directory_, fmt::format("scanning {} failed", to_string(space)), at->status());
  if (!at->Valid() || !at->key().starts_with(slice_of(prefix)))
    return std::nullopt;
  return store_entry{at->key().ToString(), at->value().ToString()};
}

} // namespace backtest
