#pragma once

#include "messages/configuration.hpp"
#include "messages/time.hpp"
#include "messages/trade_statistics.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace backtest {

/// One closed trade as the statistics see it; percentages net of fees and slippage.
struct trade_record {
  instant open_ts = 0;
  instant close_ts = 0;
  double pnl = 0;             ///< percent
  std::optional<double> peak; ///< best net percent while open
  std::optional<double> fall; ///< worst net percent while open
  std::uint64_t seq = 0;      ///< orders trades that closed at the same instant
};

/// Whether the trade counts: finite pnl, opened after 0, not closed before it opened.
bool is_valid(const trade_record& trade) noexcept;

/// By the instant of the close, then by `seq`: the order in which trades count.
bool closes_before(const trade_record& left, const trade_record& right) noexcept;

/// How large a sample must be before a figure is shown; a gate that hides a figure is named.
struct statistics_gates {
  std::int64_t min_trades_ratio = 10;   ///< fewer: no ratios
  std::int64_t min_trades_annual = 10;  ///< fewer: nothing annualised
  double min_span_days = 14;            ///< shorter: nothing annualised
  double max_trades_per_year = 0;       ///< more: nothing annualised; 0 = off
  double max_abs_yearly_percent = 1000; ///< larger: no yearly return
  double max_abs_dd_ratio = 1000;       ///< Calmar and recovery are clamped to +- this
};

statistics_gates gates_of(const configuration& config) noexcept;

/// What the trades themselves do not tell.
struct statistics_inputs {
  std::optional<std::int64_t> total_signals; ///< absent: the number of trades given
  std::optional<double> buy_and_hold_return;
  std::optional<double> exposure;
  std::string_view no_exposure = "not_measured"; ///< why there is none
};

class trade_sample;

/// The one function behind every report and summary. The order of `trades` is irrelevant as long as
/// (close_ts, seq) tells them apart; equal input gives equal bits.
trade_statistics compute_trade_statistics(std::span<const trade_record> trades,
                                          const statistics_gates& gates,
                                          const statistics_inputs& inputs = {});

/// The same over the pooled trades of several members (symbols, or strategy and symbol): totals are
/// sums over members, streaks never cross members, longest streaks are not defined. Trades of equal
/// (close_ts, seq) count in the order of the members.
trade_statistics
compute_portfolio_statistics(std::span<const std::span<const trade_record>> members,
                             const statistics_gates& gates, const statistics_inputs& inputs = {});

/// The same over all trades of a sample, those it no longer holds included. Only the median rests
/// on those it holds, and is listed in `sampled` then; figures that need an order of trades which
/// is not known are absent because of `max_trade_sample`.
trade_statistics compute_sample_statistics(const trade_sample& trades,
                                           const statistics_gates& gates,
                                           const statistics_inputs& inputs = {});

/// The same over several members. `together`: the trades of all members in one sample; null: not
/// kept, the drawdown of trades that are no longer held is not known then.
trade_statistics compute_portfolio_statistics(std::span<const trade_sample* const> members,
                                              const trade_sample* together,
                                              const statistics_gates& gates,
                                              const statistics_inputs& inputs = {});

/// Percent gained from the first to the last close; absent unless both are finite and positive.
std::optional<double> buy_and_hold_return(double first_close, double last_close) noexcept;

/// Percent of [start, end] during which at least one valid trade was open; absent unless start <
/// end.
std::optional<double> exposure_of(std::span<const trade_record> trades, instant start, instant end);
std::optional<double> exposure_of(std::span<const std::span<const trade_record>> members,
                                  instant start, instant end);
std::optional<double> exposure_of(instant time_open, instant start, instant end) noexcept;

/// Mean and deviation of plain samples. `sample_deviation` divides by N - 1 (not a number below two
/// values); `percentile` interpolates linearly in a non-empty ascending sample, percent in 0..100.
double mean_of(std::span<const double> values) noexcept;
double sample_deviation(std::span<const double> values) noexcept;
double percentile(std::span<const double> ascending, double percent) noexcept;

} // namespace backtest
