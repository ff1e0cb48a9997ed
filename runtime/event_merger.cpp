#include "runtime/event_merger.hpp"

#include <algorithm>
#include <iterator>
#include <queue>
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

event event_merger::run_queue::take_front() {
  auto what = std::move(items[head].what);
  // Room is given back seldom enough that moving the rest costs nothing much.
  if (++head == items.size() || head == 4096) {
    items.erase(items.begin(), items.begin() + static_cast<std::ptrdiff_t>(head));
    head = 0;
  }
  return what;
}

event_merger::event_merger(std::size_t runs, instant start) : runs_(runs) {
  for (auto& run : runs_)
    run.clock = run.latest = start;
}

void event_merger::add(std::size_t run, std::vector<event> events, instant clock) {
  auto& queue = runs_[run];
  if (runs_.size() == 1) {
    append(in_order_, std::move(events));
    queue.clock = std::max(queue.clock, clock);
    return;
  }
  for (auto& what : events) {
    queue.latest = std::max(queue.latest, instant_of(what).value_or(queue.latest));
    queue.items.push_back({queue.latest, std::move(what)});
  }
  queue.clock = std::max(queue.clock, clock);
}

void event_merger::take(std::vector<event>& out) {
  if (runs_.size() == 1) {
    append(out, std::exchange(in_order_, {}));
    return;
  }
  const instant horizon = lowest_clock();
  using head = std::pair<instant, std::size_t>;
  std::priority_queue<head, std::vector<head>, std::greater<>> heads;
  const auto add_head = [&](std::size_t run) {
    const auto& queue = runs_[run];
    if (!queue.empty() && queue.front().when < horizon)
      heads.emplace(queue.front().when, run);
  };
  for (std::size_t run = 0; run < runs_.size(); ++run)
    add_head(run);
  while (!heads.empty()) {
    const auto [when, run] = heads.top();
    heads.pop();
    auto& queue = runs_[run];
    while (!queue.empty() && queue.front().when == when)
      out.push_back(queue.take_front());
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
  return in_order_.empty() &&
         std::all_of(runs_.begin(), runs_.end(), [](const auto& run) { return run.empty(); });
}

} // namespace backtest
