#pragma once

#include "storage/journal_retention.hpp"

#include <memory>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace backtest {

using shared_events = std::shared_ptr<const std::vector<event>>;

/// The `journal_text` of events, by their places; where it is empty or missing, it was not made yet.
using journal_texts = std::vector<std::string>;

/// What became of one contribution to a group.
struct commit_outcome {
  std::uint64_t ticket = 0;
  std::int64_t first_number = 0; ///< of its journalled events; 0 when there are none
  std::optional<error> problem;
};

/// Makes the contributions of many one batch, numbers their events, and keeps a batch whose commit
/// failed until it went through: its outcome is unknown, so the same batch with the same numbers is
/// written again before anything else - unless the reopened store's journal ends where it never did.
/// Plain code; one thread at a time.
class group_commit {
public:
  /// `target` must outlive it. Throws `failure(store_failed)`.
  group_commit(store& target, journal_limits limits);

  /// A contribution to the next commit. A ticket whose last outcome was a problem asks again what
  /// became of it; its content is still here and what comes with it is ignored. Tickets are never
  /// used twice otherwise.
  void add(std::uint64_t ticket, store_batch rows, shared_events events, journal_texts texts = {});

  /// One outcome for every ticket added since the last call: those without numbers, then in order
  /// of their numbers.
  std::vector<commit_outcome> commit();

  /// As `journal_retention::take_problem`.
  std::optional<error> take_retention_problem() { return retention_.take_problem(); }

  std::int64_t last_number() const noexcept { return journal_.last(); }

private:
  struct contribution {
    store_batch rows;
    shared_events events;
    journal_texts texts;
  };
  struct group {
    store_batch batch;
    std::vector<commit_outcome> outcomes;
  };

  bool retry_unfinished();
  void require_what_was_acknowledged() const;
  void settle_unfinished();
  bool knows(std::uint64_t ticket) const;
  group put_together();
  void append_events(group& to, const contribution& content, commit_outcome& outcome);

  store& target_;
  journal_writer journal_;
  std::int64_t durable_; ///< the last number that was acknowledged
  journal_retention retention_;
  instant latest_ = 0; ///< of the events seen: by it the journal ages, also when history is replayed
  std::vector<std::pair<std::uint64_t, contribution>> contributions_; ///< by ticket
  std::optional<group> unfinished_;                 ///< a batch that failed
  error problem_;                                   ///< of the last commit that failed
  std::set<std::uint64_t> asked_;                   ///< tickets that wait for an outcome
  std::map<std::uint64_t, commit_outcome> settled_; ///< gone through, not asked about yet
};

} // namespace backtest
