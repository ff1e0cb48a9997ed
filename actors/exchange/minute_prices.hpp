#pragma once

#include "messages/candle.hpp"

namespace backtest {

/// Windows longer than this are worked out when they are asked for.
inline constexpr std::int64_t longest_tabled_window = 32;

/// The average price at the close of every one of `minutes`, one-minute candles, over windows of
/// `window` minutes (>= 1): to the last digit what `windowed_price` says at those instants. Null
/// for windows longer than `longest_tabled_window`. Linear in the candles.
shared_prices tabulate_prices(const candle_series& minutes, std::int64_t window);

} // namespace backtest
