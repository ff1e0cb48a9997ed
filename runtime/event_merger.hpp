#pragma once

#include "messages/event.hpp"

#include <algorithm>
#include <cstddef>
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
  /// The most events that come out at once, unless they went in together.
  static constexpr std::size_t piece_size = 1024;

  /// `start`: nothing happens before it.
  event_merger(std::size_t runs, instant start);

  /// Events of one run in its order; nothing of it comes before `clock` any more (`end_of_time`
  /// once it is over). Events without an instant stay where they stand.
  void add(std::size_t run, std::vector<event> events, instant clock);

  /// The next events in order, as far as that is known; empty: none by now. A run alone waits for
  /// nobody: its events come out as they went in.
  std::vector<event> take();

  /// Clock of the run that is furthest behind.
  instant lowest_clock() const noexcept {
    return clocks_.empty() ? end_of_time : clocks_.begin()->first;
  }
  instant clock(std::size_t run) const noexcept { return runs_[run].clock; }
  bool empty() const noexcept { return size_ == 0; }
  std::size_t size() const noexcept { return size_; } ///< events that wait here

private:
  struct run_queue {
    std::deque<std::vector<event>> lists; ///< none is empty
    std::size_t taken = 0;                ///< of the first list
    instant clock;
    instant latest; ///< of the events up to the first that waits

    bool empty() const noexcept { return lists.empty(); }
    event& front() noexcept { return lists.front()[taken]; }
    void pop() {
      if (++taken == lists.front().size()) {
        lists.pop_front();
        taken = 0;
      }
    }
    void look_at_front() noexcept {
      latest = std::max(latest, instant_of(front()).value_or(latest));
    }
  };

  using mark = std::pair<instant, std::size_t>; ///< an instant and a run

  std::vector<run_queue> runs_;
  std::set<mark> clocks_; ///< of every run
  std::set<mark> heads_;  ///< the first waiting event of every run that has one
  std::size_t size_ = 0;
  std::size_t usual_size_ = 0; ///< of a piece
};

} // namespace backtest
