#include "messages/candle.hpp"

#include <algorithm>

namespace backtest {

series_cursor::series_cursor(const candle_series& series) noexcept
    : candles_(series.candles), length_(length_of(series.size)) {
  if (candles_.empty())
    return;
  first_ = candles_.front().open_time;
  // Open times increase by whole intervals.
  is_whole_ =
      candles_.back().open_time - first_ == static_cast<instant>(candles_.size() - 1) * length_;
}

std::size_t series_cursor::seek(instant newest) noexcept {
  if (candles_.empty() || newest < first_)
    return position_ = 0;
  // Where the candle stands if no minute is missing; gaps can only move it towards the front.
  const auto guess =
      std::min(static_cast<std::size_t>((newest - first_) / length_), candles_.size() - 1);
  if (is_whole_ || candles_[guess].open_time == newest)
    return position_ = guess + 1;
  const auto behind = std::upper_bound(
      candles_.begin(), candles_.end(), newest,
      [](instant time, const candle& item) { return time < item.open_time; });
  return position_ = static_cast<std::size_t>(behind - candles_.begin());
}

} // namespace backtest
