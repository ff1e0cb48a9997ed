#pragma once

#include "messages/configuration.hpp"
#include "messages/signal.hpp"

#include <algorithm>
#include <cmath>

namespace backtest {

/// Net result of a position in percent of its entry: slippage worsens both prices, the fee is paid
/// on entry and on the exit value.
inline double net_percent(position_side side, double price_open, double price_close,
                          double percent_fee, double percent_slippage) noexcept {
  const double worse = percent_slippage / 100;
  double entry = 0, exit = 0, gross = 0;
  if (side == position_side::long_side) {
    entry = price_open * (1 + worse);
    exit = price_close * (1 - worse);
    gross = (exit - entry) / entry * 100;
  } else {
    entry = price_open * (1 - worse);
    exit = price_close * (1 + worse);
    gross = (entry - exit) / entry * 100;
  }
  return gross - percent_fee * (1 + exit / entry);
}

/// How far `price` has come on the way from `open` to `target`, in percent of that way; 0 when it
/// moved the other way.
inline double progress_percent(double open, double target, double price) noexcept {
  const bool towards = target > open ? price > open : price < open;
  return towards ? std::abs(price - open) / std::abs(target - open) * 100 : 0;
}

} // namespace backtest
