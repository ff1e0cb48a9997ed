#pragma once

#include "messages/error.hpp"
#include "messages/time.hpp"
#include "storage/journal.hpp"

#include <optional>
#include <utility>

namespace backtest {

/// How much of the journal is kept; 0 means without limit.
struct journal_limits {
  std::int64_t max_age_days = 30;
  std::int64_t max_bytes = std::int64_t{1} << 30; ///< of keys and lines
};

/// What its row says is kept; both 0 where there is none, or it cannot be read.
journal_bounds kept_by_retention(const store_reader& from);

/// Which entries have become too old or too many. Keeps running totals, in memory and in a row
/// beside the state, so that starting reads next to nothing. Used by the thread that commits.
class journal_retention {
public:
  /// Reads the totals; counts the entries where the row is missing or does not fit them.
  journal_retention(const store_reader& from, journal_limits limits);

  /// An entry that the next batch holds.
  void added(const journal_entry& entry);

  /// Adds to `batch`, which holds what was `added` since the last call, the totals and the erasures
  /// that are due at `now` (of the clock that the events have their time from). Oldest first,
  /// never the newest; erases a few hundred per call, and at least twice what was added, so a long
  /// backlog shrinks step by step. An entry without a time is as old as the one after it. Old
  /// entries that cannot be read stay, for a minute of that clock at least.
  void apply(store_batch& batch, const store_reader& from, instant now);

  /// Why old entries stay (`store_failed`): once, until they could be read again.
  std::optional<error> take_problem() { return std::exchange(problem_, std::nullopt); }

  journal_bounds bounds() const noexcept { return bounds_; }
  std::int64_t bytes() const noexcept { return bytes_; }

private:
  bool read_totals(const store_reader& from);
  void count(const store_reader& from);
  bool is_too_large() const noexcept;
  void erase_oldest(store_batch& batch, const store_reader& from, instant oldest_kept);

  journal_limits limits_;
  journal_bounds bounds_;
  std::int64_t bytes_ = 0;
  std::size_t added_ = 0;              ///< since the last `apply`
  instant next_age_check_ = INT64_MIN; ///< nothing becomes too old before
  instant next_attempt_ = INT64_MIN;   ///< after one that failed
  bool is_failing_ = false;            ///< the last attempt did
  std::optional<error> problem_;       ///< not yet taken
};

} // namespace backtest
