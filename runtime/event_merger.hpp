#pragma once

#include "messages/event.hpp"

#include <deque>
#include <set>
#include <utility>
#include <vector>

namespace backtest {

/// Brings the events of several runs into the one order of a portfolio: instant, then run (the
/// caller numbers runs by strategy, then symbol), then order of emission. An event comes out once
/// no run can produce an earlier one. Plain code; one thread at a time.
class event_merger {
public:
  /// `start`: nothing happens before it.
  event_merger(std::size_t runs, instant start);

  /// Events of one run in its order; nothing of it comes before `clock` any more (`end_of_time`
  /// once it is over). Events without an instant stay where they stand.
  void add(std::size_t run, std::vector<event> events, instant clock);

  /// Moves everything that is in order by now to the end of `out`.
  void take(std::vector<event>& out);

  /// Clock of the run that is furthest behind.
  instant lowest_clock() const noexcept {
    return clocks_.empty() ? end_of_time : clocks_.begin()->first;
  }
  instant clock(std::size_t run) const noexcept { return runs_[run].clock; }
  bool empty() const noexcept { return heads_.empty() && in_order_.empty(); }

private:
  struct item {
    instant when;
    event what;
  };
  struct run_queue {
    std::deque<item> items;
    instant clock;
    instant latest;
  };

  using mark = std::pair<instant, std::size_t>; ///< an instant and a run

  std::vector<run_queue> runs_;
  std::set<mark> clocks_; ///< of every run
  std::set<mark> heads_;  ///< the first waiting event of every run that has one
  std::vector<event> in_order_; ///< of a single run, which waits for nobody
};

} // namespace backtest
