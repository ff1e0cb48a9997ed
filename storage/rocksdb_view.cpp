#include "storage/rocksdb_view.hpp"

#include "messages/error.hpp"
#include "storage/rocksdb_fail_stop_files.hpp"
#include "storage/stored_run_names.hpp"

#include <fstream>
#include <system_error>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace backtest {

namespace {

namespace fs = std::filesystem;

std::string advice(const fs::path& directory) {
  return fmt::format("nothing was changed; \"backtest repair --data-dir {}\" moves what is damaged "
                     "aside and says what is lost",
                     directory.string());
}

} // namespace

fs::path commit_mark_path(const fs::path& directory) { return directory / "commit.mark"; }

rocksdb_view::rocksdb_view(const fs::path& directory, const options& how)
    : tables_(directory, rocksdb_families(),
              [&](const auto& families, auto* handles, auto** database) {
                auto chosen = rocksdb_database_options();
                if (how.environment != nullptr)
                  chosen.env = how.environment;
                chosen.create_if_missing = false;
                chosen.create_missing_column_families = false;
                chosen.paranoid_checks = !how.tolerates_damage;
                if (how.tolerates_damage)
                  chosen.wal_recovery_mode = rocksdb::WALRecoveryMode::kSkipAnyCorruptedRecords;
                if (how.has_writer) // which may delete files that this one reads
                  chosen.max_open_files = -1;
                return rocksdb::DB::OpenForReadOnly(chosen, directory.string(), families, handles,
                                                    database);
              }) {}

std::vector<damaged_table> find_damaged_tables(const fs::path& directory) {
  std::vector<damaged_table> found;
  try {
    const rocksdb_view view{directory, {nullptr, false, true}};
    std::vector<rocksdb::LiveFileMetaData> tables;
    view.database().GetLiveFilesMetaData(&tables);
    for (const auto& table : tables) {
      std::error_code unknown;
      const auto path = directory / fs::path{table.name}.relative_path();
      const auto size = fs::file_size(path, unknown);
      if (!unknown && size == table.size)
        continue;
      found.push_back(
          {path.filename().string(), table.column_family_name, table.smallestkey, table.largestkey,
           unknown ? unknown.message() : fmt::format("{} bytes, expected {}", size, table.size)});
    }
  } catch (const failure&) {
    // Then the manifest itself is damaged, and there is nothing to compare with.
  }
  return found;
}

void require_no_unfinished_repair(const fs::path& directory) {
  std::error_code unknown; // opening the store says what is wrong with the directory
  for (const auto* name : {repaired_name, replacing_name})
    if (fs::exists(directory / name, unknown))
      throw failure(
          error_code::store_failed,
          fmt::format("store {}: a repair was interrupted half way (there is {}); expected "
                      "\"backtest repair --data-dir {}\" to be run again",
                      directory.string(), name, directory.string()));
}

failure told_damage(const fs::path& directory, const failure& caught) {
  std::vector<std::string> tables;
  for (const auto& table : find_damaged_tables(directory))
    tables.push_back(fmt::format("table {} of {}: {}", table.file, table.family, table.problem));
  if (!tables.empty())
    return {error_code::store_lost, fmt::format("store {}: damaged: {}; {}", directory.string(),
                                                fmt::join(tables, ", "), advice(directory))};
  if (caught.code() != error_code::store_lost)
    return caught;
  return {error_code::store_lost, fmt::format("{}; {}", caught.what(), advice(directory))};
}

void require_manifest(const fs::path& directory, const std::optional<commit_mark>& mark) {
  if (!mark)
    return;
  std::string name;
  std::getline(std::ifstream{directory / "CURRENT"}, name);
  const auto number = manifest_number(name);
  std::error_code unknown; // RocksDB says what is wrong with it
  const auto bytes = fs::file_size(directory / name, unknown);
  if (!number || unknown || *number > mark->manifest ||
      (*number == mark->manifest && bytes >= mark->manifest_bytes))
    return;
  throw failure(error_code::store_lost,
                fmt::format("store {}: damaged: its list of tables is {} with {} bytes, expected "
                            "MANIFEST-{:06} with {} or more",
                            directory.string(), name, bytes, mark->manifest, mark->manifest_bytes));
}

void require_acknowledged(const fs::path& directory, const rocksdb_tables& found,
                          const store_reader& rows, const std::optional<commit_mark>& mark) {
  if (!mark)
    return;
  // A newest key that is no number is compared with nothing.
  const auto newest =
      newest_journal_number(rows.last(store_space::journal, {})).value_or(INT64_MAX);
  const auto commits = found.database().GetLatestSequenceNumber();
  if (commits >= mark->commits && newest >= mark->journal_last)
    return;
  const auto numbers = missing_numbers(*mark, newest);
  const auto runs = stored_run_names(rows);
  throw failure(
      error_code::store_lost,
      fmt::format("store {}: damaged: of {} writes that were acknowledged the last {} are missing{}"
                  "{}",
                  directory.string(), mark->commits,
                  mark->commits > commits ? mark->commits - commits : 0,
                  numbers.empty() ? "" : ", " + numbers,
                  runs.empty() ? "" : "; they may be of any run here: " + runs));
}

void require_undamaged(const fs::path& directory, rocksdb::Env* environment,
                       const std::optional<commit_mark>& mark) {
  require_no_unfinished_repair(directory);
  require_whole_store(directory);
  std::error_code unknown; // RocksDB says what is wrong with it
  const bool has_manifest = fs::exists(directory / "CURRENT", unknown);
  if (!mark || mark->commits == 0) {
    if (!has_manifest || !holds_rows(directory))
      return; // nothing was ever stored here, or its first opening was cut short
  } else if (!has_manifest) {
    const auto numbers = missing_numbers(*mark, 0);
    throw failure(error_code::store_lost,
                  fmt::format("store {}: its file CURRENT is missing, though {} writes were "
                              "acknowledged{}; {}",
                              directory.string(), mark->commits,
                              numbers.empty() ? "" : ", " + numbers, advice(directory)));
  }
  try {
    require_manifest(directory, mark);
    const rocksdb_view view{directory, {environment, false, false}};
    require_acknowledged(directory, view.tables(), view, mark);
  } catch (const failure& caught) {
    throw told_damage(directory, caught);
  }
}

} // namespace backtest
