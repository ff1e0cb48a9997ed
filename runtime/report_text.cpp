#include "runtime/report_text.hpp"

#include "runtime/column.hpp"
#include "runtime/number_text.hpp"
#include "runtime/text_file.hpp"

#include <fmt/format.h>

namespace backtest {

namespace {

using stats = trade_statistics;

std::string ratio(double value) { return fixed_text(value, 3); }
std::string percent2(double value) { return percent_text(value, 2); }
std::string percent3(double value) { return percent_text(value, 3); }
std::string negative_percent2(double value) { return percent_text(-value, 2); }
std::string signed_percent2(double value) { return signed_percent_text(value, 2); }
std::string signed_percent3(double value) { return signed_percent_text(value, 3); }
std::string minutes1(double value) { return fixed_text(value, 1) + " min"; }

constexpr std::string_view higher = " (higher is better)";
constexpr std::string_view lower = " (lower is better)";
constexpr std::string_view closer_to_zero = " (closer to 0 is better)";

enum class shown : std::uint8_t { always, when_measured };

struct summary_line {
  std::string_view label;
  statistic_member member;
  std::string (*format)(double) = nullptr; ///< not for counts
  std::string_view hint = {};
  shown when = shown::always;
};

const summary_line summary_lines[] = {
    {"Total signals", &stats::total_signals},
    {"Closed signals", &stats::total_signals},
    {"Win rate", &stats::win_rate, percent2, higher},
    {"Average PNL", &stats::avg_pnl, signed_percent2, higher},
    {"Total PNL", &stats::total_pnl, signed_percent2, higher},
    {"Standard Deviation", &stats::std_dev, percent3, lower},
    {"Sharpe Ratio", &stats::sharpe_ratio, ratio, higher},
    {"Annualized Sharpe Ratio", &stats::annualized_sharpe_ratio, ratio, higher},
    {"Sortino Ratio", &stats::sortino_ratio, ratio, higher},
    {"Certainty Ratio", &stats::certainty_ratio, ratio, higher},
    {"Profit Factor", &stats::profit_factor, ratio, higher},
    {"Expectancy", &stats::expectancy, signed_percent3, higher},
    {"Expected Yearly Returns", &stats::expected_yearly_returns, signed_percent2, higher},
    {"Max Drawdown", &stats::max_drawdown, negative_percent2, closer_to_zero},
    {"Calmar Ratio", &stats::calmar_ratio, ratio, higher},
    {"Recovery Factor", &stats::recovery_factor, ratio, higher},
    {"Median PNL", &stats::median_pnl, signed_percent3},
    {"Avg Win", &stats::avg_win, signed_percent2},
    {"Avg Loss", &stats::avg_loss, signed_percent2},
    {"Max Win Streak", &stats::max_win_streak},
    {"Max Loss Streak", &stats::max_loss_streak},
    {"Avg Win Streak PNL", &stats::avg_win_streak_pnl, signed_percent3},
    {"Avg Loss Streak PNL", &stats::avg_loss_streak_pnl, signed_percent3},
    {"Avg Duration", &stats::avg_duration, minutes1},
    {"Avg Win Duration", &stats::avg_win_duration, minutes1},
    {"Avg Loss Duration", &stats::avg_loss_duration, minutes1},
    {"Avg Peak PNL", &stats::avg_peak_pnl, signed_percent2, {}, shown::when_measured},
    {"Avg Fall PNL", &stats::avg_fall_pnl, signed_percent2, {}, shown::when_measured},
    {"Buy and Hold Return", &stats::buy_and_hold_return, signed_percent2, {}, shown::when_measured},
    {"Exposure", &stats::exposure, percent2, {}, shown::when_measured},
};

/// "63.64% (7W / 4L)", "N/A (min_trades_ratio)"; empty when the line is left out.
std::string summary_value(const stats& statistics, const summary_line& line) {
  const statistic_value value = value_of(statistics, line.member);
  if (const auto* count = std::get_if<std::int64_t>(&value))
    return fmt::format("{}", *count);
  const auto& figure = std::get<std::optional<double>>(value);
  if (!figure)
    return line.when == shown::when_measured
               ? ""
               : fmt::format("{} ({})", not_available,
                             reason_unavailable(statistics, key_of(line.member)));
  const bool is_win_rate = line.member == statistic_member(&stats::win_rate);
  return line.format(*figure) +
         (is_win_rate ? fmt::format(" ({}W / {}L)", statistics.win_count, statistics.loss_count)
                      : "") +
         std::string(line.hint);
}

} // namespace

std::string report_title(std::string_view report, std::string_view subject) {
  return fmt::format("# {}: {}\n", report, single_line(subject));
}

std::string report_title(std::string_view report, const run_identity& run) {
  std::string title = report_title(report, run.symbol + ":" + run.strategy_name);
  title += fmt::format("\n**Mode:** {}", to_string(run.mode));
  if (!run.exchange_name.empty())
    title += fmt::format(" · **Exchange:** {}", single_line(run.exchange_name));
  if (!run.frame_name.empty())
    title += fmt::format(" · **Frame:** {}", single_line(run.frame_name));
  return title + '\n';
}

std::string labelled_line(std::string_view label, std::string_view value) {
  return fmt::format("**{}:** {}  \n", label, value); // two blanks: a hard line break
}

std::string join_blocks(std::initializer_list<std::string> blocks) {
  std::string text;
  for (const std::string& block : blocks)
    if (!block.empty())
      text += text.empty() ? block : '\n' + block;
  return text;
}

std::string report_file_name(std::initializer_list<std::string_view> names) {
  std::string file_name;
  for (const std::string_view name : names) {
    if (!file_name.empty())
      file_name += '_';
    file_name += safe_file_name(name);
  }
  return file_name + ".md";
}

std::string report_file_name(const run_identity& run) {
  return report_file_name({run.symbol, run.strategy_name, to_string(run.mode)});
}

std::string trade_summary(const trade_statistics& statistics) {
  std::string block;
  for (const summary_line& line : summary_lines)
    if (const std::string value = summary_value(statistics, line); !value.empty())
      block += labelled_line(line.label, value);
  return block;
}

std::string reliability_note(const trade_statistics& statistics, const statistics_gates& gates,
                             std::int64_t dropped) {
  std::string note = fmt::format(
      "*Ratios need ≥ {} trades; annualised figures need ≥ {} trades and ≥ {} days{}; all equity "
      "figures assume 100 % of capital in each trade.*\n",
      gates.min_trades_ratio, gates.min_trades_annual, gates.min_span_days,
      gates.max_trades_per_year > 0
          ? fmt::format(" and ≤ {} trades/year", gates.max_trades_per_year)
          : "");
  if (statistics.excluded_count > 0)
    note += fmt::format("\nExcluded trades: {}\n", statistics.excluded_count);
  if (dropped > 0)
    note += fmt::format("\nStatistics cover the latest {} trades\n",
                        statistics.total_signals - dropped);
  return note;
}

} // namespace backtest
