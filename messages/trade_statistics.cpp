#include "messages/trade_statistics.hpp"

#include <algorithm>
#include <array>

namespace backtest {

namespace {

using stats = trade_statistics;

constexpr std::array<statistic_field, 38> all_fields{{
    {"total_signals", &stats::total_signals},
    {"excluded_count", &stats::excluded_count},
    {"win_count", &stats::win_count},
    {"loss_count", &stats::loss_count},
    {"break_even_count", &stats::break_even_count},
    {"win_rate", &stats::win_rate},
    {"total_pnl", &stats::total_pnl},
    {"avg_pnl", &stats::avg_pnl},
    {"median_pnl", &stats::median_pnl},
    {"std_dev", &stats::std_dev},
    {"sharpe_ratio", &stats::sharpe_ratio},
    {"span_days", &stats::span_days},
    {"trades_per_year", &stats::trades_per_year},
    {"annualized_sharpe_ratio", &stats::annualized_sharpe_ratio},
    {"avg_win", &stats::avg_win},
    {"avg_loss", &stats::avg_loss},
    {"profit_factor", &stats::profit_factor},
    {"certainty_ratio", &stats::certainty_ratio},
    {"expectancy", &stats::expectancy},
    {"max_drawdown", &stats::max_drawdown},
    {"compounded_return", &stats::compounded_return},
    {"expected_yearly_returns", &stats::expected_yearly_returns},
    {"sortino_ratio", &stats::sortino_ratio},
    {"calmar_ratio", &stats::calmar_ratio},
    {"recovery_factor", &stats::recovery_factor},
    {"max_win_streak", &stats::max_win_streak},
    {"max_loss_streak", &stats::max_loss_streak},
    {"avg_win_streak_pnl", &stats::avg_win_streak_pnl},
    {"avg_loss_streak_pnl", &stats::avg_loss_streak_pnl},
    {"avg_duration", &stats::avg_duration},
    {"avg_win_duration", &stats::avg_win_duration},
    {"avg_loss_duration", &stats::avg_loss_duration},
    {"avg_peak_pnl", &stats::avg_peak_pnl},
    {"avg_fall_pnl", &stats::avg_fall_pnl},
    {"best_peak_pnl", &stats::best_peak_pnl},
    {"worst_fall_pnl", &stats::worst_fall_pnl},
    {"buy_and_hold_return", &stats::buy_and_hold_return},
    {"exposure", &stats::exposure},
}};

constexpr std::array<std::string_view, 18> reasons{"no_trades",
                                                   "no_decisive_trades",
                                                   "no_wins",
                                                   "no_losses",
                                                   "zero_deviation",
                                                   "zero_drawdown",
                                                   "blown_account",
                                                   "not_recorded",
                                                   "not_measured",
                                                   "portfolio",
                                                   "not_finite",
                                                   "min_trades_ratio",
                                                   "min_trades_annual",
                                                   "min_span_days",
                                                   "max_trades_per_year",
                                                   "max_abs_yearly_percent",
                                                   "max_abs_dd_ratio",
                                                   "max_trade_sample"};

} // namespace

std::span<const statistic_field> statistic_fields() noexcept { return all_fields; }

statistic_value value_of(const trade_statistics& statistics, const statistic_member& member) {
  return std::visit(
      [&](auto pointer) -> statistic_value {
        const auto& value = statistics.*pointer;
        if constexpr (std::is_same_v<std::decay_t<decltype(value)>, std::optional<std::int64_t>>)
          return value ? statistic_value(*value) : statistic_value(std::optional<double>());
        else
          return value;
      },
      member);
}

std::string_view key_of(const statistic_member& member) noexcept {
  for (const statistic_field& field : all_fields)
    if (field.member == member)
      return field.key;
  return "";
}

std::optional<statistic_value> find_statistic(const trade_statistics& statistics,
                                              std::string_view key) {
  for (const statistic_field& field : all_fields)
    if (field.key == key)
      return value_of(statistics, field.member);
  return std::nullopt;
}

std::string_view reason_unavailable(const trade_statistics& statistics,
                                    std::string_view key) noexcept {
  for (const unavailable_statistic& hidden : statistics.unavailable)
    if (hidden.key == key)
      return hidden.reason;
  return "";
}

const sampled_statistic* find_sampled(const trade_statistics& statistics,
                                      std::string_view key) noexcept {
  for (const sampled_statistic& item : statistics.sampled)
    if (item.key == key)
      return &item;
  return nullptr;
}

std::optional<std::string_view> find_reason(std::string_view text) noexcept {
  const auto found = std::find(reasons.begin(), reasons.end(), text);
  return found == reasons.end() ? std::nullopt : std::optional(*found);
}

} // namespace backtest
