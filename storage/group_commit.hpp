#pragma once

#include "storage/journal_retention.hpp"

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <vector>

namespace backtest {

/// What became of one contribution to a group.
struct commit_outcome {
  std::uint64_t ticket = 0;
  std::int64_t first_number = 0; ///< of its journalled events; 0 when there are none
  std::optional<error> problem;
};

/// Makes the contributions of many one batch, numbers their events, and keeps a batch whose commit
/// failed until it went through: its outcome is unknown, so the same batch with the same numbers is
/// written again before anything else. Plain code; one thread at a time.
class group_commit {
public:
  /// `target` must outlive it. Throws `failure(store_failed)`.
  group_commit(store& target, journal_limits limits);

  /// A contribution to the next commit. A ticket of a batch that failed only asks again what became
  /// of it. Tickets are never used twice otherwise.
  void add(std::uint64_t ticket, store_batch rows, const std::vector<event>& events);
  bool empty() const noexcept { return contributions_.empty() && asked_.empty(); }

  /// One outcome for every ticket added since the last call, in order of their numbers. `now`: for
  /// the age of the journal.
  std::vector<commit_outcome> commit(instant now);

  std::int64_t last_number() const noexcept { return journal_.last(); }

private:
  struct contribution {
    std::uint64_t ticket;
    store_batch rows;
    std::vector<event> events;
  };
  struct group {
    store_batch batch;
    std::vector<commit_outcome> outcomes;
  };

  bool retry_unfinished(std::vector<commit_outcome>& answers);
  group put_together(instant now);

  store& target_;
  journal_writer journal_;
  journal_retention retention_;
  std::vector<contribution> contributions_;
  std::optional<group> unfinished_;                  ///< a batch that failed
  std::set<std::uint64_t> asked_;                    ///< tickets that wait for news of old batches
  std::map<std::uint64_t, commit_outcome> settled_;  ///< gone through since, not asked about yet
};

} // namespace backtest
