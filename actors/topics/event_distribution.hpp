#pragma once

#include "actors/topics/run_interests.hpp"
#include "actors/topics/subscription_filter.hpp"

#include <array>
#include <cstddef>
#include <optional>
#include <vector>

namespace backtest {

/// One who takes events, and its share of the batch at hand.
struct event_taker {
  subscription_filter filter;
  std::size_t wanted = 0;             ///< so many of the batch
  std::vector<event>* part = nullptr; ///< where `put_parts` appends them; null: nowhere

  /// What is kept by `event_distribution` alone.
  struct notes {
    std::vector<interest> of_runs; ///< what it wants of each, by number
    /// It chooses by no name: what it wants of any run of a mode, the backtest's first.
    std::optional<std::array<interest, 2>> of_modes;
    bool is_decided = false; ///< it wants the whole batch, and nobody had to look at each event
  };
  notes known = {};
};

/// Finds who takes which events of a batch. With thousands of takers that choose by name a batch
/// meets few of them. A plain value, but for the takers it points to.
class event_distribution {
public:
  /// The taker stays where it is until it leaves.
  void join(event_taker& taker);
  void leave(event_taker& taker);

  /// Sets how many of these events each wants, who has no part yet. `mode`: that of their runs.
  void count(const std::vector<event>& events, run_mode mode);
  /// The events counted last, to every part there is, in their order. What one alone wants is moved
  /// out, if it may be.
  void put_parts(std::vector<event>& events, bool may_move) const;

private:
  /// Who wants something of a group of events, or all of it.
  struct group_taker {
    event_taker* taker = nullptr;
    bool wants_all = false;
  };

  bool decide(const std::vector<event>& events, run_mode mode);
  void learn_runs(const std::vector<event>& events);
  void learn(event_taker& taker, std::size_t run);
  bool wants(const event_taker& taker, const event& item, const event_marks& marks) const;
  std::size_t count_in(const event_taker& taker, const batch_index::group& group,
                       const std::vector<event>& events) const;

  std::vector<event_taker*> all_;
  std::vector<event_taker*> not_choosing_;
  run_numbers runs_;
  /// Who chooses by name, by the numbers of the runs it wants something of.
  std::vector<std::vector<event_taker*>> choosers_of_runs_;
  batch_index index_;                            ///< of the batch at hand
  std::vector<std::vector<group_taker>> groups_; ///< of it: who takes from them
};

} // namespace backtest
