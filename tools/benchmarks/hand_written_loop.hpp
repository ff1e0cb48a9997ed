#pragma once

#include "messages/candle.hpp"
#include "messages/signal.hpp"

#include <algorithm>
#include <vector>

/// What the engine is measured against: the program an engineer writes for one strategy on one
/// symbol when no framework is at hand. No gaps, no risk, no schedules, no events: arrays, one loop
/// over the generation instants and one over the minutes of an open position.
namespace backtest::hand_written {

struct order {
  bool is_signal = false;
  bool is_long = true;
  double take_profit = 0;
  double stop_loss = 0;
  std::int64_t minutes = 0;
};

struct trade {
  instant opened_at = 0;
  instant closed_at = 0;
  double price_open = 0;
  double price_close = 0;
  double pnl = 0;

  friend bool operator==(const trade&, const trade&) = default;
};

/// Candles without a gap, of one minute and of the strategy's own interval.
struct market {
  const std::vector<candle>& minutes;
  const std::vector<candle>& bars;
  instant bar_ms = minute_ms;
};

using signal_source = order (*)(const market&, instant when, double price);

/// Volume-weighted average price of the five candles before minute `end`.
inline double vwap(const std::vector<candle>& minutes, std::size_t end) noexcept {
  double value = 0, volume = 0;
  for (std::size_t i = end - 5; i < end; ++i) {
    const candle& c = minutes[i];
    value += (c.high + c.low + c.close) / 3 * c.volume;
    volume += c.volume;
  }
  if (volume != 0)
    return value / volume;
  double closes = 0;
  for (std::size_t i = end - 5; i < end; ++i)
    closes += minutes[i].close;
  return closes / 5;
}

inline double net_percent(bool is_long, double open, double close) noexcept {
  constexpr double fee = 0.1, slippage = 0.1 / 100;
  const double o = is_long ? open * (1 + slippage) : open * (1 - slippage);
  const double c = is_long ? close * (1 - slippage) : close * (1 + slippage);
  const double gross = is_long ? (c - o) / o * 100 : (o - c) / o * 100;
  return gross - fee * (1 + c / o);
}

/// Asks `source` once per slot of `step` from `first` to `last`, at the first free minute in it; one
/// position at a time, every minute of an open one is examined. A position open at the end is
/// followed as far as there are candles.
inline std::vector<trade> run(const market& data, instant first, instant last, instant step,
                              signal_source source) {
  std::vector<trade> trades;
  const instant base = data.minutes.front().open_time;
  const auto index_of = [base](instant when) {
    return static_cast<std::size_t>((when - base) / minute_ms);
  };
  for (instant when = first; when <= last;) {
    const double price = vwap(data.minutes, index_of(when));
    const order wanted = source(data, when, price);
    const instant next_slot = (when / step + 1) * step;
    if (!wanted.is_signal) {
      when = next_slot;
      continue;
    }
    const instant expires = when + wanted.minutes * minute_ms;
    instant now = when + minute_ms;
    double close = 0;
    for (std::size_t end = index_of(now); end <= data.minutes.size(); ++end, now += minute_ms) {
      const double seen = vwap(data.minutes, end);
      if (wanted.is_long ? seen >= wanted.take_profit : seen <= wanted.take_profit)
        close = wanted.take_profit;
      else if (wanted.is_long ? seen <= wanted.stop_loss : seen >= wanted.stop_loss)
        close = wanted.stop_loss;
      else if (now >= expires)
        close = seen;
      else
        continue;
      break;
    }
    if (close == 0)
      break; // the candles end before the position does
    trades.push_back({when, now, price, close, net_percent(wanted.is_long, price, close)});
    when = std::max(now, next_slot); // it may open again at the very instant it closed
  }
  return trades;
}

// -- the signal sources of the built-in strategies -----------------------------------------------------

inline order bracket(bool is_long, double price, double take_profit, double stop_loss,
                     std::int64_t minutes) noexcept {
  return {true, is_long, is_long ? price * (1 + take_profit) : price * (1 - take_profit),
          is_long ? price * (1 - stop_loss) : price * (1 + stop_loss), minutes};
}

inline order never(const market&, instant, double) { return {}; }

inline order time_grid(const market&, instant when, double price) {
  const bool is_long = when / (60 * minute_ms) % 24 % 2 == 0;
  return bracket(is_long, price, 0.008, 0.008, 45);
}

inline order sma_cross(const market& data, instant when, double price) {
  const auto end =
      static_cast<std::size_t>((when - data.bars.front().open_time) / data.bar_ms);
  const auto mean = [&](std::size_t newest, std::size_t length) {
    double sum = 0;
    for (std::size_t i = newest - length; i < newest; ++i)
      sum += data.bars[i].close;
    return sum / static_cast<double>(length);
  };
  const double fast = mean(end, 5), slow = mean(end, 20);
  const double fast_before = mean(end - 1, 5), slow_before = mean(end - 1, 20);
  if (fast_before <= slow_before && fast > slow)
    return bracket(true, price, 0.015, 0.01, 240);
  if (fast_before >= slow_before && fast < slow)
    return bracket(false, price, 0.015, 0.01, 240);
  return {};
}

} // namespace backtest::hand_written
