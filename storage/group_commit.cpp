#include "storage/group_commit.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace backtest {

group_commit::group_commit(store& target, journal_limits limits)
    : target_(target), journal_(find_journal_bounds(target).last), durable_(journal_.last()),
      retention_(target, limits) {}

bool group_commit::knows(std::uint64_t ticket) const {
  const auto holds = [ticket](const auto& outcome) { return outcome.ticket == ticket; };
  return settled_.count(ticket) > 0 ||
         std::any_of(contributions_.begin(), contributions_.end(),
                     [ticket](const auto& item) { return item.first == ticket; }) ||
         (unfinished_ &&
          std::any_of(unfinished_->outcomes.begin(), unfinished_->outcomes.end(), holds));
}

void group_commit::add(std::uint64_t ticket, store_batch rows, shared_events events,
                       journal_texts texts) {
  asked_.insert(ticket);
  const bool may_be_known = unfinished_ || !settled_.empty();
  if (!may_be_known || !knows(ticket))
    contributions_.emplace_back(
        ticket, contribution{std::move(rows), std::move(events), std::move(texts)});
}

std::vector<commit_outcome> group_commit::commit() {
  std::vector<commit_outcome> answers;
  if (!unfinished_ || retry_unfinished()) {
    if (!contributions_.empty()) {
      unfinished_ = put_together();
      try {
        target_.commit(unfinished_->batch);
        settle_unfinished();
      } catch (const failure& caught) {
        problem_ = caught.reason();
      }
    }
  }
  for (const auto ticket : std::exchange(asked_, {}))
    if (auto settled = settled_.extract(ticket))
      answers.push_back(std::move(settled.mapped()));
    else
      answers.push_back({ticket, 0, problem_});
  std::stable_sort(answers.begin(), answers.end(), [](const auto& left, const auto& right) {
    return left.first_number < right.first_number;
  });
  return answers;
}

bool group_commit::retry_unfinished() {
  try {
    target_.reopen();
    require_what_was_acknowledged();
    // It may be there already; writing it once more changes nothing then.
    target_.commit(unfinished_->batch);
  } catch (const failure& caught) {
    problem_ = caught.reason();
    return false;
  }
  settle_unfinished();
  return true;
}

/// A store that came back with less must not be written to as if nothing had happened.
void group_commit::require_what_was_acknowledged() const {
  const auto found = find_journal_bounds(target_).last;
  if (found == durable_ || found == journal_.last())
    return;
  const auto expected = durable_ == journal_.last()
                            ? fmt::format("{}", durable_)
                            : fmt::format("{}, or {} with the batch whose commit failed", durable_,
                                          journal_.last());
  throw failure(
      error_code::store_lost,
      fmt::format("journal: it ends at number {} after the store was reopened, expected {}; "
                  "nothing is written to it",
                  found, expected));
}

void group_commit::settle_unfinished() {
  durable_ = journal_.last();
  for (auto& outcome : unfinished_->outcomes)
    settled_.emplace(outcome.ticket, std::move(outcome));
  unfinished_.reset();
}

group_commit::group group_commit::put_together() {
  group next;
  for (auto& [ticket, content] : std::exchange(contributions_, {})) {
    commit_outcome outcome{ticket, 0, std::nullopt};
    next.batch.append(std::move(content.rows));
    append_events(next, content, outcome);
    next.outcomes.push_back(std::move(outcome));
  }
  retention_.apply(next.batch, target_, latest_);
  return next;
}

void group_commit::append_events(group& to, const contribution& content, commit_outcome& outcome) {
  const auto& events = *content.events;
  for (std::size_t i = 0; i < events.size(); ++i) {
    if (!is_journalled(events[i]))
      continue;
    const bool is_made = i < content.texts.size() && !content.texts[i].empty();
    const auto entry = is_made ? journal_.append(to.batch, content.texts[i])
                               : journal_.append(to.batch, events[i]);
    retention_.added(entry);
    latest_ = std::max(latest_, instant_of(events[i]).value_or(latest_));
    if (outcome.first_number == 0)
      outcome.first_number = entry.number;
  }
}

} // namespace backtest
