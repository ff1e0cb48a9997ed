#pragma once

#include "messages/candle.hpp"
#include "messages/configuration.hpp"

#include <cstddef>
#include <optional>
#include <span>
#include <string>

namespace backtest {

/// The first candle of a batch that fails a check.
struct candle_fault {
  std::size_t index = 0; ///< within the batch
  std::string message;   ///< which value, and what was expected; the caller says where

  friend bool operator==(const candle_fault&, const candle_fault&) = default;
};

/// Checks a batch on arrival (one fetch; for files one UTC day): finite values, prices > 0,
/// volume >= 0, low <= open, close <= high, open times aligned to `size` and strictly increasing,
/// and no price below reference / get_candles_price_anomaly_threshold_factor. The reference is the
/// median of the batch's OHLC prices (element n/2 of the sorted list), or their mean in a batch of
/// fewer than get_candles_min_candles_for_median candles. An empty batch is fine.
std::optional<candle_fault> check_candles(std::span<const candle> batch, interval size,
                                          const configuration& limits);

} // namespace backtest
