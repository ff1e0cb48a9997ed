#pragma once

#include "messages/time.hpp"

#include <functional>
#include <span>
#include <string>

namespace backtest {

/// A stretch of history: instants start, start + interval, ... <= end.
struct frame_schema {
  std::string frame_name;
  std::string note;
  interval size = interval::m1;
  instant start = 0; ///< a whole minute
  instant end = 0;   ///< inclusive, >= start
  struct {
    /// Once per frame client: first and last instant, and how many there are.
    std::function<void(instant first, instant last, std::int64_t count)> on_timeframe;
  } callbacks;
};

} // namespace backtest
