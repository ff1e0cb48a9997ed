#include "actors/frame/timeline.hpp"

#include "messages/error.hpp"

#include <fmt/format.h>

namespace backtest {

timeline timeline_of(const frame_schema& frame) {
  if (!is_one_of_first(frame.size, interval_count))
    throw failure(error_code::invalid_argument,
                  fmt::format("frame {}: there is no interval {}, expected one from 1m to 3d",
                              frame.frame_name, static_cast<int>(frame.size)));
  if (frame.start % minute_ms != 0)
    throw failure(error_code::invalid_argument,
                  fmt::format("frame {}: start {} must be a whole minute", frame.frame_name,
                              to_iso(frame.start)));
  if (frame.start > frame.end)
    throw failure(error_code::invalid_argument,
                  fmt::format("frame {}: start {} must not be after end {}", frame.frame_name,
                              to_iso(frame.start), to_iso(frame.end)));
  const instant step = length_of(frame.size);
  return {frame.start, frame.start + (frame.end - frame.start) / step * step, step};
}

} // namespace backtest
