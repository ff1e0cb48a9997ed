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

/// Average prices worked out ahead: of every one-minute candle of a series, by its place in it, the
/// price at the instant it closed, over `window` minutes.
struct minute_prices {
  std::int64_t window = 0;
  std::vector<double> prices;
};

using shared_prices = std::shared_ptr<const minute_prices>;

/// What a candle client answers: everything the source has in [from, until), perhaps more.
struct loaded_series {
  shared_series series;
  instant from = 0;
  instant until = 0;
  shared_prices prices = nullptr; ///< null: nobody worked them out
};

/// How a request for candles treats what lies around its range, and how much of it must come at
/// once.
struct candle_extent {
  instant welcome_from = 0;  ///< earlier candles are welcome from there on, if they can be had ...
  instant welcome_until = 0; ///< ... and later ones up to there
  bool fetches_before = false; ///< earlier ones are worth a fetch of their own, which may fail
  /// From there on what is kept, or else one fetch, is enough: who needs more asks again.
  instant in_parts_from = INT64_MAX;
};

/// Walks forward (mostly) through a series and answers "how many candles are closed at `when`?"
/// in constant time where there are no gaps, then without a look at a candle. Not thread-safe; the
/// series must outlive it.
class series_cursor {
public:
  series_cursor() = default;
  explicit series_cursor(const candle_series& series) noexcept;

  /// Number of candles with open_time + interval <= when.
  std::size_t closed_at(instant when) noexcept {
    const instant newest = when - length_; // the last open time that is closed at `when`
    const std::size_t count = candles_.size();
    // The usual step: one candle further than last time.
    if (position_ < count && open_time_of(position_) == newest)
      return ++position_;
    if (position_ > 0 && open_time_of(position_ - 1) <= newest &&
        (position_ == count || open_time_of(position_) > newest))
      return position_;
    return seek(newest);
  }

  /// Whether the last of `closed` candles is the one that closed at `when`, not an older one.
  bool ends_at(std::size_t closed, instant when) const noexcept {
    return closed > 0 && open_time_of(closed - 1) == when - length_;
  }
  /// No candle is missing between the first and the last.
  bool is_whole() const noexcept { return is_whole_; }

  std::span<const candle> candles() const noexcept { return candles_; }

private:
  instant open_time_of(std::size_t place) const noexcept {
    return is_whole_ ? first_ + static_cast<instant>(place) * length_ : candles_[place].open_time;
  }
  std::size_t seek(instant newest) noexcept;

  std::span<const candle> candles_;
  instant length_ = minute_ms;
  instant first_ = 0; ///< open time of the first candle
  bool is_whole_ = false;
  std::size_t position_ = 0;
};

} // namespace backtest
