#include "actors/topics/event_distribution.hpp"

#include <algorithm>
#include <utility>

namespace backtest {

void event_distribution::join(event_taker& taker) {
  all_.push_back(&taker);
  taker.known = {};
  if (!taker.filter.chooses_by_name()) {
    not_choosing_.push_back(&taker);
    taker.known.of_modes = {taker.filter.interest_in({"", "", "", "", run_mode::backtest}),
                            taker.filter.interest_in({"", "", "", "", run_mode::live})};
  }
  for (std::size_t run = 0; run < choosers_of_runs_.size(); ++run)
    learn(taker, run);
}

void event_distribution::leave(event_taker& taker) {
  std::erase(all_, &taker);
  std::erase(not_choosing_, &taker);
  if (taker.filter.chooses_by_name())
    for (std::size_t run = 0; run < taker.known.of_runs.size(); ++run)
      if (!taker.known.of_runs[run].empty())
        std::erase(choosers_of_runs_[run], &taker);
}

/// What it wants of one more run.
void event_distribution::learn(event_taker& taker, std::size_t run) {
  // Of events without a run the filter itself decides.
  taker.known.of_runs.push_back(run == 0 ? interest{}
                                         : taker.filter.interest_in(runs_.names_of(run)));
  if (taker.filter.chooses_by_name() && !taker.known.of_runs.back().empty())
    choosers_of_runs_[run].push_back(&taker);
}

void event_distribution::learn_runs(const std::vector<event>& events) {
  if (runs_.is_full()) {
    runs_.clear();
    choosers_of_runs_.clear();
    for (auto* taker : all_)
      taker->known.of_runs.clear();
  }
  index_.build(events, runs_);
  while (choosers_of_runs_.size() < runs_.size()) {
    choosers_of_runs_.emplace_back();
    for (auto* taker : all_)
      learn(*taker, choosers_of_runs_.size() - 1);
  }
}

/// True: everybody wants the whole batch, as its contents alone show.
bool event_distribution::decide(const std::vector<event>& events, run_mode mode) {
  const auto contents = not_choosing_.empty() ? interest{} : contents_of(events);
  bool all_are_decided = true;
  for (auto* taker : all_) {
    auto& known = taker->known;
    known.is_decided = known.of_modes && (*known.of_modes)[mode == run_mode::live].covers(contents);
    taker->wanted = known.is_decided ? events.size() : 0;
    taker->part = nullptr;
    all_are_decided &= known.is_decided;
  }
  return all_are_decided;
}

bool event_distribution::wants(const event_taker& taker, const event& item,
                               const event_marks& marks) const {
  return marks.run == 0 ? taker.filter.wants(item)
                        : is_wanted(marks, taker.known.of_runs[marks.run]);
}

std::size_t event_distribution::count_in(const event_taker& taker, const batch_index::group& group,
                                         const std::vector<event>& events) const {
  if (group.run != 0) {
    const auto asked = taker.known.of_runs[group.run];
    if (asked.covers(group.all))
      return group.events.size();
    if (asked.empty())
      return 0;
  }
  return static_cast<std::size_t>(
      std::count_if(group.events.begin(), group.events.end(), [&](std::uint32_t place) {
        return wants(taker, events[place], index_.marks[place]);
      }));
}

void event_distribution::count(const std::vector<event>& events, run_mode mode) {
  if (decide(events, mode))
    return;
  learn_runs(events);
  if (groups_.size() < index_.groups.size())
    groups_.resize(index_.groups.size());
  for (std::size_t at = 0; at < index_.groups.size(); ++at) {
    const auto& group = index_.groups[at];
    groups_[at].clear();
    const auto count_for = [&](event_taker* taker) {
      if (taker->known.is_decided)
        return;
      if (const auto count = count_in(*taker, group, events); count > 0) {
        taker->wanted += count;
        groups_[at].push_back({taker, count == group.events.size()});
      }
    };
    if (group.run == 0) {
      std::for_each(all_.begin(), all_.end(), count_for);
    } else {
      std::for_each(not_choosing_.begin(), not_choosing_.end(), count_for);
      auto& choosers = choosers_of_runs_[group.run];
      std::for_each(choosers.begin(), choosers.end(), count_for);
    }
  }
}

void event_distribution::put_parts(std::vector<event>& events, bool may_move) const {
  for (std::size_t place = 0; place < events.size(); ++place) {
    const auto& some = groups_[index_.group_of(place)];
    for (const auto& [taker, wants_all] : some)
      if (taker->part != nullptr &&
          (wants_all || wants(*taker, events[place], index_.marks[place]))) {
        if (may_move && some.size() == 1)
          taker->part->push_back(std::move(events[place]));
        else
          taker->part->push_back(events[place]);
      }
  }
}

} // namespace backtest
