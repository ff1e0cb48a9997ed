#include "runtime/event_merger.hpp"

#include <utility>

namespace backtest {

event_merger::event_merger(std::size_t runs, instant start) : runs_(runs) {
  for (std::size_t run = 0; run < runs; ++run) {
    runs_[run].clock = runs_[run].latest = start;
    clocks_.emplace_hint(clocks_.end(), start, run);
  }
}

void event_merger::add(std::size_t run, std::vector<event> events, instant clock) {
  auto& queue = runs_[run];
  if (!events.empty()) {
    size_ += events.size();
    const bool was_empty = queue.empty();
    queue.lists.push_back(std::move(events));
    if (was_empty) {
      queue.look_at_front();
      heads_.emplace(queue.latest, run);
    }
  }
  if (clock > queue.clock) {
    auto node = clocks_.extract({queue.clock, run});
    node.value().first = queue.clock = clock;
    clocks_.insert(std::move(node));
  }
}

std::vector<event> event_merger::take() {
  std::vector<event> piece;
  if (runs_.size() == 1) {
    auto& lists = runs_.front().lists;
    if (lists.empty())
      return piece;
    piece = std::move(lists.front());
    lists.pop_front();
    if (lists.empty())
      heads_.clear();
    size_ -= piece.size();
    return piece;
  }
  const instant horizon = lowest_clock();
  while (!heads_.empty() && heads_.begin()->first < horizon && piece.size() < piece_size) {
    piece.reserve(usual_size_);
    auto head = heads_.extract(heads_.begin());
    const auto run = head.value().second;
    // As long as no other run comes before it.
    const mark next = heads_.empty() ? mark{horizon, 0} : std::min(*heads_.begin(), {horizon, 0});
    auto& queue = runs_[run];
    do {
      piece.push_back(std::move(queue.front()));
      queue.pop();
      if (queue.empty())
        break;
      queue.look_at_front();
    } while (mark{queue.latest, run} < next && piece.size() < piece_size);
    if (queue.empty())
      continue;
    head.value().first = queue.latest;
    heads_.insert(std::move(head));
  }
  size_ -= piece.size();
  if (!piece.empty())
    usual_size_ = piece.size(); // they resemble each other
  return piece;
}

} // namespace backtest
