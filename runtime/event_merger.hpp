#pragma once

#include "messages/event.hpp"

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
  instant lowest_clock() const noexcept;
  instant clock(std::size_t run) const noexcept { return runs_[run].clock; }
  bool empty() const noexcept;

private:
  struct item {
    instant when;
    event what;
  };
  struct run_queue {
    std::vector<item> items; ///< those before `head` are gone
    std::size_t head = 0;
    instant clock;
    instant latest;

    bool empty() const noexcept { return head == items.size(); }
    const item& front() const noexcept { return items[head]; }
    event take_front();
  };

  std::vector<run_queue> runs_;
  std::vector<event> in_order_; ///< of a single run, which waits for nobody
};

} // namespace backtest
