#include "storage/group_commit.hpp"

#include <algorithm>
#include <utility>

namespace backtest {

group_commit::group_commit(store& target, journal_limits limits)
    : target_(target), journal_(find_journal_bounds(target).last), retention_(target, limits) {}

void group_commit::add(std::uint64_t ticket, store_batch rows, const std::vector<event>& events) {
  const bool failed_before =
      unfinished_ && std::any_of(unfinished_->outcomes.begin(), unfinished_->outcomes.end(),
                                 [&](const auto& item) { return item.ticket == ticket; });
  if (failed_before || settled_.count(ticket) > 0)
    asked_.insert(ticket);
  else
    contributions_.push_back({ticket, std::move(rows), events});
}

std::vector<commit_outcome> group_commit::commit(instant now) {
  std::vector<commit_outcome> answers;
  for (auto asked = asked_.begin(); asked != asked_.end();) {
    if (const auto found = settled_.find(*asked); found != settled_.end()) {
      answers.push_back(std::move(found->second));
      settled_.erase(found);
      asked = asked_.erase(asked);
    } else {
      ++asked;
    }
  }
  if (unfinished_ && !retry_unfinished(answers))
    return answers;
  if (contributions_.empty())
    return answers;
  auto next = put_together(now);
  try {
    target_.commit(next.batch);
    answers.insert(answers.end(), next.outcomes.begin(), next.outcomes.end());
  } catch (const failure& caught) {
    for (const auto& outcome : next.outcomes)
      answers.push_back({outcome.ticket, 0, caught.reason()});
    unfinished_ = std::move(next);
  }
  return answers;
}

bool group_commit::retry_unfinished(std::vector<commit_outcome>& answers) {
  try {
    target_.reopen();
    // It may be there already; writing it once more changes nothing then.
    target_.commit(unfinished_->batch);
  } catch (const failure& caught) {
    for (const auto ticket : std::exchange(asked_, {}))
      answers.push_back({ticket, 0, caught.reason()});
    for (const auto& waiting : std::exchange(contributions_, {}))
      answers.push_back({waiting.ticket, 0, caught.reason()});
    return false;
  }
  for (auto& outcome : unfinished_->outcomes) {
    if (asked_.erase(outcome.ticket) > 0)
      answers.push_back(std::move(outcome));
    else
      settled_.emplace(outcome.ticket, std::move(outcome));
  }
  unfinished_.reset();
  return true;
}

group_commit::group group_commit::put_together(instant now) {
  group next;
  for (auto& [ticket, rows, events] : std::exchange(contributions_, {})) {
    commit_outcome outcome{ticket, 0, std::nullopt};
    next.batch.append(std::move(rows));
    for (const auto& item : events) {
      if (!is_journalled(item))
        continue;
      const auto line = journal_.append(next.batch, item);
      retention_.added(line);
      if (outcome.first_number == 0)
        outcome.first_number = line.number;
    }
    next.outcomes.push_back(std::move(outcome));
  }
  retention_.apply(next.batch, target_, now);
  return next;
}

} // namespace backtest
