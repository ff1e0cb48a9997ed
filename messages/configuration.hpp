#pragma once

#include "messages/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace backtest {

/// Every parameter a run reads. A run captures one snapshot when it starts; names, defaults and
/// ranges are listed by `configuration_parameters`.
struct configuration {
  double percent_fee = 0.1;      ///< percent per side
  double percent_slippage = 0.1; ///< percent per side
  std::int64_t avg_price_candles_count = 5; ///< one-minute candles in the average price
  std::int64_t schedule_await_minutes = 120;
  double min_takeprofit_distance_percent = 0.5; ///< 0 = off
  double min_stoploss_distance_percent = 0.5;   ///< 0 = off
  double max_stoploss_distance_percent = 20;    ///< 0 = off
  std::int64_t max_signal_lifetime_minutes = 1440;
  std::int64_t max_signal_generation_seconds = 180;
  std::int64_t get_candles_retry_count = 3; ///< attempts in total
  std::int64_t get_candles_retry_delay_ms = 5000; ///< doubled after each attempt
  std::int64_t get_candles_price_anomaly_threshold_factor = 1000;
  std::int64_t get_candles_min_candles_for_median = 5;
  std::int64_t candle_revision_minutes = 5; ///< 0 = off
  std::int64_t settle_delay_ms = 1500;
  std::int64_t candle_wait_seconds = 20;
  std::int64_t catch_up_wait_seconds = 60;
  std::int64_t subscriber_patience_seconds = 30; ///< of the whole runtime, not of a run; 0 = never
  std::int64_t stop_patience_seconds = 10; ///< live: for a store that does not answer
  std::int64_t journal_max_age_days = 30;          ///< 0 = unlimited
  std::int64_t journal_max_bytes = 1'073'741'824; ///< 0 = unlimited
  std::int64_t store_reserve_bytes = 8'388'608;   ///< 0 = none
  bool report_show_signal_note = false;
  std::int64_t max_report_rows = 250;
  std::int64_t max_trade_sample = 100'000;
  std::int64_t max_performance_events = 10'000;
  std::int64_t min_trades_ratio = 10;
  std::int64_t min_trades_annual = 10;
  double min_span_days = 14;
  double max_trades_per_year = 0; ///< 0 = off
  double max_abs_yearly_percent = 1000;
  double max_abs_dd_ratio = 1000;

  friend bool operator==(const configuration&, const configuration&) = default;
};

/// Every rule the values break, one sentence each, naming parameter, value and what was expected.
/// Empty when all is well.
std::vector<std::string> violations_of(const configuration& values);

/// Throws `failure{invalid_configuration}` with all violations as a numbered list.
void require_valid(const configuration& values);

} // namespace backtest
