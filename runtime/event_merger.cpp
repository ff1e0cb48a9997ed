#include "runtime/event_merger.hpp"

#include <algorithm>
#include <queue>
#include <utility>

namespace backtest {

event_merger::event_merger(std::size_t runs, instant start) : runs_(runs) {
  for (auto& run : runs_)
    run.clock = run.latest = start;
}

void event_merger::add(std::size_t run, std::vector<event> events, instant clock) {
  auto& queue = runs_[run];
  for (auto& what : events) {
    queue.latest = std::max(queue.latest, instant_of(what).value_or(queue.latest));
    queue.items.push_back({queue.latest, std::move(what)});
  }
  queue.clock = std::max(queue.clock, clock);
}

void event_merger::take(std::vector<event>& out) {
  const instant horizon = lowest_clock();
  if (runs_.size() == 1) {
    auto& items = runs_.front().items;
    while (!items.empty() && items.front().when < horizon) {
      out.push_back(std::move(items.front().what));
      items.pop_front();
    }
    return;
  }
  using head = std::pair<instant, std::size_t>;
  std::priority_queue<head, std::vector<head>, std::greater<>> heads;
  const auto add_head = [&](std::size_t run) {
    const auto& items = runs_[run].items;
    if (!items.empty() && items.front().when < horizon)
      heads.emplace(items.front().when, run);
  };
  for (std::size_t run = 0; run < runs_.size(); ++run)
    add_head(run);
  while (!heads.empty()) {
    const auto [when, run] = heads.top();
    heads.pop();
    auto& items = runs_[run].items;
    while (!items.empty() && items.front().when == when) {
      out.push_back(std::move(items.front().what));
      items.pop_front();
    }
    add_head(run);
  }
}

instant event_merger::lowest_clock() const noexcept {
  instant lowest = end_of_time;
  for (const auto& run : runs_)
    lowest = std::min(lowest, run.clock);
  return lowest;
}

bool event_merger::empty() const noexcept {
  return std::all_of(runs_.begin(), runs_.end(), [](const auto& run) { return run.items.empty(); });
}

} // namespace backtest
