#include "actors/exchange/aggregate.hpp"

#include "messages/error.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace backtest {

candle_series aggregate(const candle_series& minutes, interval size) {
  if (minutes.size != interval::m1)
    throw failure(error_code::invalid_argument,
                  fmt::format("aggregate {}: candles of {} given; expected 1m", minutes.symbol,
                              to_string(minutes.size)));
  if (!is_candle_interval(size))
    throw failure(error_code::invalid_argument,
                  fmt::format("aggregate {}: interval {}; expected 1m to 1d", minutes.symbol,
                              to_string(size)));
  if (size == interval::m1)
    return minutes;
  candle_series result{minutes.symbol, size, {}};
  if (minutes.empty())
    return result;
  const instant length = length_of(size);
  const auto& source = minutes.candles;
  const instant span = source.back().open_time - source.front().open_time;
  result.candles.reserve(std::min(source.size(), static_cast<std::size_t>(span / length) + 2));
  instant bucket_end = source.front().open_time; // the first minute opens a bucket
  for (const candle& minute : source) {
    if (minute.open_time >= bucket_end) {
      const instant open_time = align_down(minute.open_time, length);
      bucket_end = open_time + length;
      result.candles.push_back(minute);
      result.candles.back().open_time = open_time;
      continue;
    }
    candle& bucket = result.candles.back();
    bucket.high = std::max(bucket.high, minute.high);
    bucket.low = std::min(bucket.low, minute.low);
    bucket.close = minute.close;
    bucket.volume += minute.volume;
  }
  return result;
}

} // namespace backtest
