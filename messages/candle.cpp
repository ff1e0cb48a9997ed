#include "messages/candle.hpp"

#include <algorithm>

namespace backtest {

std::size_t series_cursor::seek(instant newest) noexcept {
  if (candles_.empty() || newest < candles_.front().open_time)
    return position_ = 0;
  if (newest >= candles_.back().open_time)
    return position_ = candles_.size();
  // Where the candle stands if no minute is missing; gaps can only move it towards the front.
  const auto guess = std::min(
      static_cast<std::size_t>((newest - candles_.front().open_time) / length_),
      candles_.size() - 1);
  if (candles_[guess].open_time == newest)
    return position_ = guess + 1;
  const auto behind = std::upper_bound(
      candles_.begin(), candles_.end(), newest,
      [](instant time, const candle& item) { return time < item.open_time; });
  return position_ = static_cast<std::size_t>(behind - candles_.begin());
}

} // namespace backtest
