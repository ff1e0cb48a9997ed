#pragma once

#include "storage/store.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>

namespace backtest {

/// What a store has acknowledged, kept in a small file outside of it. It is written after each
/// commit, so it is never ahead of the store: a store that holds less has lost something.
struct commit_mark {
  std::uint64_t commits = 0;     ///< grows with every commit; what it counts is the store's matter
  std::int64_t journal_last = 0; ///< the newest number of the journal
  /// Of RocksDB's list of its tables: the number of the file, and how long it was. A list that is
  /// shorter has forgotten tables.
  std::uint64_t manifest = 0;
  std::uint64_t manifest_bytes = 0;

  friend bool operator==(const commit_mark&, const commit_mark&) = default;
};

/// The greatest journal number that a batch writes; absent when it writes none.
std::optional<std::int64_t> last_journal_number(const store_batch& batch);

/// The journal number of the newest entry of a journal: 0 for none, absent when its key is no
/// number.
std::optional<std::int64_t> newest_journal_number(const std::optional<store_entry>& newest);

/// What the file at `path` says; absent when there is none. Any thread, also beside its writer.
/// Throws `failure`: `store_lost` when the file does not fit its checksum, `store_failed` when it
/// cannot be read.
std::optional<commit_mark> read_commit_mark(const std::filesystem::path& path);

/// The sentence on journal numbers behind `found` up to the one that `mark` knows; "" for none.
std::string missing_numbers(const commit_mark& mark, std::int64_t found);

/// Writes the file in place, one thread at a time. Its bytes are there after a kill at once; a
/// power cut may take those of the last second.
class commit_mark_file {
public:
  /// Creates the file when it is missing. Throws `failure(store_failed)`, as `write` does.
  commit_mark_file(const std::filesystem::path& path, const commit_mark& first);
  ~commit_mark_file();
  commit_mark_file(const commit_mark_file&) = delete;
  commit_mark_file& operator=(const commit_mark_file&) = delete;

  void write(const commit_mark& mark);

private:
  std::filesystem::path path_;
  int descriptor_ = -1;
  std::chrono::steady_clock::time_point synced_{};
};

} // namespace backtest
