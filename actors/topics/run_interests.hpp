#pragma once

#include "messages/event.hpp"
#include "messages/interest.hpp"

#include <cstdint>
#include <map>
#include <vector>

namespace backtest {

/// Small numbers for runs, so that what a subscriber wants of each is found without comparing
/// names. A run is known by its shared names, which stay alive in here.
class run_numbers {
public:
  /// 0 for events that belong to no run.
  std::uint32_t number_of(const shared_identity& run);
  /// It is time for `clear`, after which every number given before is void.
  bool is_full() const noexcept { return runs_.size() >= most; }
  void clear();
  /// Numbers are below.
  std::size_t size() const noexcept { return runs_.size() + 1; }
  const run_identity& names_of(std::size_t number) const { return *runs_[number - 1]; }

private:
  static constexpr std::size_t most = 65'536;

  /// A place of `recent_`, the one for names that lie at this address.
  static std::size_t place_of(const run_identity* run) noexcept;
  std::uint32_t find_number(const shared_identity& run);

  struct numbered_run {
    const run_identity* names = nullptr;
    std::uint32_t number = 0;
  };
  static constexpr std::size_t recent_count = 1024;

  std::map<const run_identity*, std::uint32_t> numbers_;
  std::vector<shared_identity> runs_;
  /// Of those that share a place the one asked for last; the others are found in `numbers_`.
  std::vector<numbered_run> recent_ = std::vector<numbered_run>(recent_count);
};

/// What decides who wants an event.
struct event_marks {
  std::uint32_t run = 0;
  topic on = topic::error;
  bool is_tick = false;
  tick_action action = tick_action::idle;
};

event_marks marks_of(const event& item, run_numbers& runs);

/// Topics and actions of all of them: who has these, whatever the run, wants every event.
interest contents_of(const std::vector<event>& events);

/// A batch by run, so that whoever wants nothing of a run does not look at its events.
struct batch_index {
  struct group {
    std::uint32_t run = 0;
    interest all;                      ///< who has this for the run wants all of its events
    std::vector<std::uint32_t> events; ///< places in the batch, ascending
  };
  std::vector<event_marks> marks; ///< by place in the batch
  std::vector<group> groups;

  /// Anew for these events.
  void build(const std::vector<event>& events, run_numbers& runs);
  /// A number below that of the groups.
  std::size_t group_of(std::size_t place) const { return group_of_[marks[place].run]; }

private:
  std::vector<std::uint32_t> group_of_; ///< by run; valid where that group says so
};

/// `of_run`: what `subscription_filter::interest_in` says of the event's run.
inline bool is_wanted(const event_marks& marks, interest of_run) noexcept {
  return marks.is_tick
             ? (of_run.has(marks.on) || of_run.has(topic::signal)) && of_run.has(marks.action)
             : of_run.has(marks.on);
}

} // namespace backtest
