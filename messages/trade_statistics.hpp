#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

namespace backtest {

/// Why a figure is absent: the name of the gate that hid it (as in `configuration`;
/// max_trade_sample hides what needs an order of trades that are no longer held), or a condition:
/// no_trades, no_decisive_trades, no_wins, no_losses, zero_deviation, zero_drawdown, blown_account,
/// not_recorded, not_measured, portfolio, not_finite.
struct unavailable_statistic {
  std::string_view key;
  std::string_view reason;

  friend bool operator==(const unavailable_statistic&, const unavailable_statistic&) = default;
};

/// A figure that rests on the latest trades alone.
struct sampled_statistic {
  std::string_view key;
  std::int64_t trades = 0; ///< it rests on
  std::int64_t of = 0;     ///< valid trades in all

  friend bool operator==(const sampled_statistic&, const sampled_statistic&) = default;
};

/// The figures of a sample of trades; formulas in one place, `runtime/statistics.cpp`.
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
  std::vector<sampled_statistic> sampled;         ///< in key order; all others rest on every trade

  friend bool operator==(const trade_statistics&, const trade_statistics&) = default;
};

// -- the figures by name -------------------------------------------------------------------------

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

/// Null when the figure rests on every trade.
const sampled_statistic* find_sampled(const trade_statistics& statistics,
                                      std::string_view key) noexcept;

/// Calls f(key, statistic_value) for every figure in order.
template <class Visitor>
void for_each_statistic(const trade_statistics& statistics, Visitor&& visit) {
  for (const statistic_field& field : statistic_fields())
    visit(field.key, value_of(statistics, field.member));
}

/// The reason of that text, as it lasts; absent when no figure is ever absent for it.
std::optional<std::string_view> find_reason(std::string_view text) noexcept;

} // namespace backtest
