#pragma once

#include "messages/candle.hpp"

#include <algorithm>
#include <cstdint>
#include <span>

namespace backtest {

/// Volume-weighted average of the typical prices (high + low + close) / 3 of a window that is not
/// empty; the plain mean of the closes when nothing was traded. Sums are taken afresh, oldest
/// first, so the result depends on the window alone, to the last digit.
template <std::size_t Extent>
inline double average_price(std::span<const candle, Extent> window) noexcept {
  double value = 0;
  double volume = 0;
  for (const candle& item : window) {
    value += (item.high + item.low + item.close) / 3 * item.volume;
    volume += item.volume;
  }
  if (volume != 0)
    return value / volume;
  double closes = 0;
  for (const candle& item : window)
    closes += item.close;
  return closes / static_cast<double>(window.size());
}

inline double average_price(std::span<const candle> window) noexcept {
  return average_price<std::dynamic_extent>(window);
}

/// The candles of the last `count` minutes (>= 1) before `when`, a whole minute, that exist: fewer
/// than `count` around gaps, none behind a long one. `closed` are the one-minute candles closed at
/// `when`, oldest first.
inline std::span<const candle> price_window(std::span<const candle> closed, instant when,
                                            std::int64_t count) noexcept {
  constexpr std::int64_t all = end_of_time / minute_ms / 2; // reaches beyond any candle
  const instant oldest = when - std::min(count, all) * minute_ms;
  std::size_t first = closed.size();
  while (first > 0 && closed[first - 1].open_time >= oldest)
    --first;
  return closed.subspan(first);
}

/// Whether `price_window` of the same arguments has at least one candle.
inline bool has_price_window(std::span<const candle> closed, instant when,
                             std::int64_t count) noexcept {
  // Open times increase, so the newest candle decides.
  return !price_window(closed.last(std::min<std::size_t>(closed.size(), 1)), when, count).empty();
}

/// `average_price(price_window(...))` of a window that is not empty. The usual window, five candles
/// without a gap, has a length the compiler knows: every open position asks for it every minute.
inline double windowed_price(std::span<const candle> closed, instant when,
                             std::int64_t count) noexcept {
  constexpr std::size_t usual = 5;
  if (count == usual && closed.size() >= usual) {
    const auto window = closed.last<usual>();
    if (window.front().open_time == when - static_cast<instant>(usual) * minute_ms)
      return average_price(window);
  }
  return average_price(price_window(closed, when, count));
}

} // namespace backtest
