#pragma once

#include "messages/configuration.hpp"
#include "messages/time.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <variant>
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

/// Why a figure is absent: the name of the gate that hid it (as in `configuration`), or a
/// condition: no_trades, no_decisive_trades, no_wins, no_losses, zero_deviation, zero_drawdown,
/// blown_account, not_recorded, not_measured, portfolio, not_finite.
struct unavailable_statistic {
  std::string_view key;
  std::string_view reason;

  friend bool operator==(const unavailable_statistic&, const unavailable_statistic&) = default;
};

/// The figures of a sample of trades; formulas in one place, `compute_trade_statistics`.
/// Percentages are plain percent, durations minutes, drawdowns positive. Equity figures put all
/// capital into each trade, one after another.
struct trade_statistics {
  std::int64_t total_signals = 0;  ///< closed signals, excluded ones included
  std::int64_t excluded_count = 0; ///< invalid trades, left out of every other figure
  std::int64_t win_count = 0;
  std::int64_t loss_count = 0;
  std::int64_t break_even_count = 0;
  std::optional<double> win_rate; ///< of the trades that won or lost
  std::optional<double> total_pnl;
  std::optional<double> avg_pnl;
  std::optional<double> median_pnl;
  std::optional<double> std_dev; ///< of the sample (N - 1)
  std::optional<double> sharpe_ratio;
  std::optional<double> span_days; ///< first open to last close
  std::optional<double> trades_per_year;
  std::optional<double> annualized_sharpe_ratio;
  std::optional<double> avg_win;
  std::optional<double> avg_loss; ///< negative
  std::optional<double> profit_factor;
  std::optional<double> certainty_ratio;
  std::optional<double> expectancy;
  std::optional<double> max_drawdown;
  std::optional<double> compounded_return;
  std::optional<double> expected_yearly_returns;
  std::optional<double> sortino_ratio;
  std::optional<double> calmar_ratio;
  std::optional<double> recovery_factor;
  std::optional<std::int64_t> max_win_streak; ///< absent for a portfolio
  std::optional<std::int64_t> max_loss_streak;
  std::optional<double> avg_win_streak_pnl;
  std::optional<double> avg_loss_streak_pnl;
  std::optional<double> avg_duration;
  std::optional<double> avg_win_duration;
  std::optional<double> avg_loss_duration;
  std::optional<double> avg_peak_pnl;
  std::optional<double> avg_fall_pnl;
  std::optional<double> best_peak_pnl;
  std::optional<double> worst_fall_pnl;
  std::optional<double> buy_and_hold_return;      ///< as given
  std::optional<double> exposure;                 ///< as given
  std::vector<unavailable_statistic> unavailable; ///< one per absent figure, in key order
};

/// What the trades themselves do not tell.
struct statistics_inputs {
  std::optional<std::int64_t> total_signals; ///< absent: the number of trades given
  std::optional<double> buy_and_hold_return;
  std::optional<double> exposure;
};

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

/// Percent gained from the first to the last close; absent unless both are finite and positive.
std::optional<double> buy_and_hold_return(double first_close, double last_close) noexcept;

/// Percent of [start, end] during which at least one valid trade was open; absent unless start <
/// end.
std::optional<double> exposure_of(std::span<const trade_record> trades, instant start, instant end);
std::optional<double> exposure_of(std::span<const std::span<const trade_record>> members,
                                  instant start, instant end);

/// Mean and deviation of plain samples. `sample_deviation` divides by N - 1 (not a number below two
/// values); `percentile` interpolates linearly in a non-empty ascending sample, percent in 0..100.
double mean_of(std::span<const double> values) noexcept;
double sample_deviation(std::span<const double> values) noexcept;
double percentile(std::span<const double> ascending, double percent) noexcept;

// ---- the figures by name
// -------------------------------------------------------------------------

using statistic_value = std::variant<std::int64_t, std::optional<double>>;
using statistic_member =
    std::variant<std::int64_t trade_statistics::*, std::optional<std::int64_t> trade_statistics::*,
                 std::optional<double> trade_statistics::*>;

/// Key, as in JSON and as a walker's metric, and where the figure is.
struct statistic_field {
  std::string_view key;
  statistic_member member;
};

/// Every figure once, in the order summaries print them.
std::span<const statistic_field> statistic_fields() noexcept;

/// An absent count is an absent optional, too.
statistic_value value_of(const trade_statistics& statistics, const statistic_member& member);

std::string_view key_of(const statistic_member& member) noexcept;

/// Absent when there is no figure of that name.
std::optional<statistic_value> find_statistic(const trade_statistics& statistics,
                                              std::string_view key);

/// Why the figure is absent, "" when it is there.
std::string_view reason_unavailable(const trade_statistics& statistics,
                                    std::string_view key) noexcept;

/// Calls f(key, statistic_value) for every figure in order.
template <class Visitor>
void for_each_statistic(const trade_statistics& statistics, Visitor&& visit) {
  for (const statistic_field& field : statistic_fields())
    visit(field.key, value_of(statistics, field.member));
}

} // namespace backtest
