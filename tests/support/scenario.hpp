#pragma once

#include "tests/support/plain_portfolio.hpp"

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

namespace backtest::testing {

/// Minute 0 of every scenario: 2024-01-01T00:00:00Z, a Monday on which every interval begins.
inline constexpr instant minute_zero = 1'704'067'200'000;

constexpr instant at_minute(std::int64_t minute) { return minute_zero + minute * minute_ms; }

/// A candle without extremes whose close time is that minute.
inline candle closing_at(std::int64_t minute, double price, double volume = 1) {
  return {at_minute(minute - 1), price, price, price, price, volume};
}

/// A candle with extremes whose close time is that minute.
inline candle closing_at(std::int64_t minute, double low, double high, double close) {
  return {at_minute(minute - 1), close, high, low, close, 1};
}

/// Candles in memory, one list per symbol.
class memory_source final : public candle_store_source {
public:
  std::map<std::string, std::vector<candle>> market;

  std::vector<std::string> symbols() const override;
  bool loads_everything() const noexcept override { return true; }
  candle_series load(const std::string& symbol, instant since, instant until,
                     const configuration& limits) override;
};

signal_request go_long(double take_profit, double stop_loss, std::int64_t minutes = 60);
signal_request go_short(double take_profit, double stop_loss, std::int64_t minutes = 60);
/// The same request with an entry price.
signal_request entering_at(double price_open, signal_request request);

/// A source that answers these requests at these minutes, and nothing at others.
signal_function signals(std::map<std::int64_t, signal_request> by_minute);

/// A risk profile with one rule: fewer than `count` positions may be active.
risk_schema at_most(std::size_t count, std::string risk_name = "cap", std::string note = "");

/// Ticks that change something, milestones, risk and errors: what most rules are about.
interest transitions();

/// A small market and the strategies that trade on it: candles, then `strategies`, then `facts()`.
/// The average price is the close of the last candle and costs are 0, so that expectations can be
/// read off the candles.
class scenario {
public:
  configuration parameters;
  exchange_schema exchange;
  frame_schema frame; ///< minute 0 to minute 10, every minute
  schema_set schemas;
  plain_options options;

  scenario();

  /// The price of minute 0, 1, 2 ...; nothing: the candle is missing.
  void prices(const std::vector<std::optional<double>>& by_minute,
              const std::string& symbol = "BTC");
  std::vector<candle>& candles(const std::string& symbol = "BTC");
  const std::map<std::string, std::vector<candle>>& market() const noexcept {
    return source_->market;
  }
  /// Frame from minute `first` to minute `last`.
  void frame_minutes(std::int64_t first, std::int64_t last, interval step = interval::m1);
  /// Adds a strategy; the answer stays valid until the next one is added.
  strategy_schema& strategy(signal_function get_signal, std::string name = "s");

  plain_result run() const;
  /// What happened, one text per event: "3 opened @100"; names in front when there are several
  /// runs.
  std::vector<std::string> facts() const;
  std::vector<std::string> facts(interest wanted) const;
  /// The events themselves that carry this action.
  std::vector<tick_result> ticks(tick_action action) const;
  /// The first error event; fails the test when there is none.
  error_event first_error() const;

private:
  std::shared_ptr<memory_source> source_ = std::make_shared<memory_source>();
};

/// One request at minute 0, a frame of that one minute, and the price of minute 0, 1, 2 ...
scenario one_signal(const signal_request& request,
                    const std::vector<std::optional<double>>& by_minute);

using texts = std::vector<std::string>;

} // namespace backtest::testing

/// Failed comparisons print what happened.
template <>
struct doctest::StringMaker<backtest::testing::texts> {
  static String convert(const backtest::testing::texts& list) {
    return fmt::format("{}", fmt::join(list, " | ")).c_str();
  }
};
