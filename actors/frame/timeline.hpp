#pragma once

#include "actors/frame/frame_schema.hpp"

namespace backtest {

/// The generation instants of a frame: first, first + step, ..., last. Never materialised.
struct timeline {
  instant first = 0;
  instant last = 0;
  instant step = minute_ms;

  std::int64_t count() const noexcept { return (last - first) / step + 1; }
  /// First instant of the timeline >= when; may lie behind `last`.
  instant at_or_after(instant when) const noexcept {
    if (when <= first)
      return first;
    // Asked at every instant of a run; by a constant the compiler need not divide.
    return first +
           (step == minute_ms ? align_up(when - first, minute_ms) : align_up(when - first, step));
  }
  /// How many instants lie before `when`.
  std::int64_t passed(instant when) const noexcept {
    if (when <= first)
      return 0;
    return when > last ? count() : (at_or_after(when) - first) / step;
  }

  friend bool operator==(const timeline&, const timeline&) = default;
};

/// Throws `failure{invalid_argument}`: start > end, or start is not a whole minute.
timeline timeline_of(const frame_schema& frame);

} // namespace backtest
