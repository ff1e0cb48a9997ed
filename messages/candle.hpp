#pragma once

#include "messages/time.hpp"

#include <memory>
#include <span>
#include <vector>

namespace backtest {

/// One closed bar. Covers [open_time, open_time + interval); prices in quote units.
struct candle {
  instant open_time = 0;
  double open = 0;
  double high = 0;
  double low = 0;
  double close = 0;
  double volume = 0;

  friend bool operator==(const candle&, const candle&) = default;
};

/// Candles of one symbol and interval: immutable once shared, strictly increasing, aligned open times.
/// A minute the source does not have is simply absent (a gap).
struct candle_series {
  std::string symbol;
  interval size = interval::m1;
  std::vector<candle> candles;

  bool empty() const noexcept { return candles.empty(); }
  /// Close time of the last candle, or `fallback` when there is none.
  instant end(instant fallback = 0) const noexcept {
    return candles.empty() ? fallback : candles.back().open_time + length_of(size);
  }

  friend bool operator==(const candle_series&, const candle_series&) = default;
};

using shared_series = std::shared_ptr<const candle_series>;

/// What a candle client answers: everything the source has in [from, until), perhaps more.
struct loaded_series {
  shared_series series;
  instant from = 0;
  instant until = 0;
};

/// Walks forward (mostly) through a series and answers "how many candles are closed at `when`?"
/// in constant time where there are no gaps. Not thread-safe; the series must outlive it.
class series_cursor {
public:
  series_cursor() = default;
  explicit series_cursor(const candle_series& series) noexcept
      : candles_(series.candles), length_(length_of(series.size)) {}

  /// Number of candles with open_time + interval <= when.
  std::size_t closed_at(instant when) noexcept {
    const instant newest = when - length_; // the last open time that is closed at `when`
    const std::size_t count = candles_.size();
    // The usual step: one candle further than last time.
    if (position_ < count && candles_[position_].open_time == newest)
      return ++position_;
    if (position_ > 0 && candles_[position_ - 1].open_time <= newest &&
        (position_ == count || candles_[position_].open_time > newest))
      return position_;
    return seek(newest);
  }

  std::span<const candle> candles() const noexcept { return candles_; }

private:
  std::size_t seek(instant newest) noexcept;

  std::span<const candle> candles_;
  instant length_ = minute_ms;
  std::size_t position_ = 0;
};

} // namespace backtest
