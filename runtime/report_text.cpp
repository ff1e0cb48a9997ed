#include "runtime/report_text.hpp"

#include "runtime/column.hpp"
#include "runtime/figure_text.hpp"
#include "runtime/text_file.hpp"

#include <fmt/format.h>

namespace backtest {

namespace {

using stats = trade_statistics;

using namespace figure_text;

const figure_line summary_lines[] = {
    {"Total signals", &stats::total_signals},
    {"Closed signals", &stats::total_signals},
    {"Win rate", &stats::win_rate, percent2, higher_is_better},
    {"Average PNL", &stats::avg_pnl, signed_percent2, higher_is_better},
    {"Total PNL", &stats::total_pnl, signed_percent2, higher_is_better},
    {"Standard Deviation", &stats::std_dev, percent3, lower_is_better},
    {"Sharpe Ratio", &stats::sharpe_ratio, ratio3, higher_is_better},
    {"Annualized Sharpe Ratio", &stats::annualized_sharpe_ratio, ratio3, higher_is_better},
    {"Sortino Ratio", &stats::sortino_ratio, ratio3, higher_is_better},
    {"Certainty Ratio", &stats::certainty_ratio, ratio3, higher_is_better},
    {"Profit Factor", &stats::profit_factor, ratio3, higher_is_better},
    {"Expectancy", &stats::expectancy, signed_percent3, higher_is_better},
    {"Expected Yearly Returns", &stats::expected_yearly_returns, signed_percent2, higher_is_better},
    {"Max Drawdown", &stats::max_drawdown, negative_percent2, closer_to_zero_is_better},
    {"Calmar Ratio", &stats::calmar_ratio, ratio3, higher_is_better},
    {"Recovery Factor", &stats::recovery_factor, ratio3, higher_is_better},
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
    {"Avg Peak PNL", &stats::avg_peak_pnl, signed_percent2, {}, line_shown::when_measured},
    {"Avg Fall PNL", &stats::avg_fall_pnl, signed_percent2, {}, line_shown::when_measured},
    {"Buy and Hold Return",
     &stats::buy_and_hold_return,
     signed_percent2,
     {},
     line_shown::when_measured},
    {"Exposure", &stats::exposure, percent2, {}, line_shown::when_measured},
};

/// A symbol without an underscore ends at the first one of the file's name, any other at its hash.
std::string symbol_part(std::string_view symbol) {
  return symbol.find('_') == std::string_view::npos ? safe_file_name(symbol)
                                                    : hashed_file_name(symbol);
}

/// Whether the name holds what could be the hash of a changed name: one that ends a symbol, or one
/// of this name itself.
bool holds_a_hash(std::string_view name) {
  constexpr std::string_view digits = "0123456789abcdef";
  constexpr std::size_t length = 8;
  for (auto at = name.find('-'); at != std::string_view::npos; at = name.find('-', at + 1)) {
    const auto hash = name.substr(at + 1, length);
    if (hash.size() < length || hash.find_first_not_of(digits) != std::string_view::npos)
      continue;
    const auto behind = name.substr(at + 1 + length);
    const bool may_be_changed = name.substr(0, at).find('_') != std::string_view::npos;
    if (behind.starts_with('_') || (behind.empty() && may_be_changed))
      return true;
  }
  return false;
}

std::string name_part(std::string_view name) {
  return holds_a_hash(name) ? hashed_file_name(name) : safe_file_name(name);
}

} // namespace

std::string report_title(std::string_view report, std::string_view subject) {
  return fmt::format("# {}: {}\n", report, single_line(subject));
}

std::string report_title(std::string_view report, const run_identity& run) {
  const std::string title = report_title(report, run.symbol + ":" + run.strategy_name);
  return title + '\n' +
         facts_line({{"Mode", to_string(run.mode)},
                     {"Exchange", run.exchange_name},
                     {"Frame", run.frame_name}});
}

std::string labelled_line(std::string_view label, std::string_view value) {
  return fmt::format("**{}:** {}  \n", label, value); // two blanks: a hard line break
}

std::string counted_line(std::string_view label, std::int64_t count) {
  return labelled_line(label, fmt::format("{}", count));
}

std::string facts_line(std::initializer_list<std::pair<std::string_view, std::string_view>> facts) {
  std::string line;
  for (const auto& [label, value] : facts)
    if (!value.empty())
      line += fmt::format("{}**{}:** {}", line.empty() ? "" : " · ", label, single_line(value));
  return line + '\n';
}

std::string join_blocks(std::initializer_list<std::string> blocks) {
  std::string text;
  for (const std::string& block : blocks)
    if (!block.empty())
      text += text.empty() ? block : '\n' + block;
  return text;
}

std::string report_file_name(std::string_view symbol, std::string_view name) {
  return fmt::format("{}_{}.md", symbol_part(symbol), name_part(name));
}

std::string run_file_name(const run_identity& run) {
  return fmt::format("{}_{}_{}.md", symbol_part(run.symbol), name_part(run.strategy_name),
                     to_string(run.mode));
}

std::string strategy_file_name(std::string_view strategy, run_mode mode) {
  return fmt::format("{}_{}.md", name_part(strategy), to_string(mode));
}

std::string part_note(std::int64_t shown, std::int64_t total) {
  return shown < total ? fmt::format("*The newest {} of {} rows.*\n", shown, total) : "";
}

std::string trade_summary(const trade_statistics& statistics) {
  return figure_lines(statistics, summary_lines);
}

std::string reliability_note(const trade_statistics& statistics, const statistics_gates& gates) {
  std::string note = fmt::format(
      "*Ratios need ≥ {} trades; annualised figures need ≥ {} trades and ≥ {} days{}; all equity "
      "figures assume 100 % of capital in each trade.*\n",
      gates.min_trades_ratio, gates.min_trades_annual, gates.min_span_days,
      gates.max_trades_per_year > 0
          ? fmt::format(" and ≤ {} trades/year", gates.max_trades_per_year)
          : "");
  if (statistics.excluded_count > 0)
    note += fmt::format("\nExcluded trades: {}\n", statistics.excluded_count);
  if (statistics.break_even_count > 0)
    note += fmt::format("\nBreak-even trades: {}\n", statistics.break_even_count);
  if (!statistics.sampled.empty())
    note += "\n*A figure of the latest trades covers those that are still held one by one "
            "(max_trade_sample); every other figure covers all trades.*\n";
  return note;
}

} // namespace backtest
