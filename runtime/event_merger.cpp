#include "runtime/event_merger.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace backtest {

namespace {

void append(std::vector<event>& target, std::vector<event> more) {
  if (target.empty())
    target = std::move(more);
  else
    target.insert(target.end(), std::make_move_iterator(more.begin()),
                  std::make_move_iterator(more.end()));
}

} // namespace

event_merger::event_merger(std::size_t runs, instant start) : runs_(runs) {
  for (std::size_t run = 0; run < runs; ++run) {
    runs_[run].clock = runs_[run].latest = start;
    clocks_.emplace_hint(clocks_.end(), start, run);
  }
}

void event_merger::add(std::size_t run, std::vector<event> events, instant clock) {
  auto& queue = runs_[run];
  const bool was_empty = queue.items.empty();
  if (runs_.size() == 1) {
    append(in_order_, std::move(events));
  } else {
    for (auto& what : events) {
      queue.latest = std::max(queue.latest, instant_of(what).value_or(queue.latest));
      queue.items.push_back({queue.latest, std::move(what)});
    }
    if (was_empty && !queue.items.empty())
      heads_.emplace(queue.items.front().when, run);
  }
  if (clock > queue.clock) {
    auto node = clocks_.extract({queue.clock, run});
    node.value().first = queue.clock = clock;
    clocks_.insert(std::move(node));
  }
}

void event_merger::take(std::vector<event>& out) {
  if (runs_.size() == 1)
    return append(out, std::exchange(in_order_, {}));
  const instant horizon = lowest_clock();
  while (!heads_.empty() && heads_.begin()->first < horizon) {
    auto head = heads_.extract(heads_.begin());
    const auto run = head.value().second;
    // As long as no other run comes before it.
    const mark next = heads_.empty() ? mark{horizon, 0} : std::min(*heads_.begin(), {horizon, 0});
    auto& items = runs_[run].items;
    while (!items.empty() && mark{items.front().when, run} < next) {
      out.push_back(std::move(items.front().what));
      items.pop_front();
    }
    if (items.empty())
      continue;
    head.value().first = items.front().when;
    heads_.insert(std::move(head));
  }
}

} // namespace backtest
