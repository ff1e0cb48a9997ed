#include "runtime/heat_report.hpp"

#include "runtime/cell_text.hpp"
#include "runtime/figure_text.hpp"
#include "runtime/report_directory.hpp"
#include "runtime/report_text.hpp"
#include "runtime/text_file.hpp"

#include <algorithm>

namespace backtest {

namespace {

using stats = trade_statistics;
using namespace figure_text;

const figure_line portfolio_lines[] = {
    {"Total Trades", &stats::total_signals},
    {"Portfolio PNL", &stats::total_pnl, signed_percent2},
    {"Pooled Sharpe", &stats::sharpe_ratio, ratio3},
    {"Annualized Sharpe", &stats::annualized_sharpe_ratio, ratio3},
    {"Sortino", &stats::sortino_ratio, ratio3},
    {"Std Dev", &stats::std_dev, percent3},
    {"Profit Factor", &stats::profit_factor, ratio3},
    {"Certainty", &stats::certainty_ratio, ratio3},
    {"Expectancy", &stats::expectancy, signed_percent3},
    {"Expected Yearly Returns", &stats::expected_yearly_returns, signed_percent2},
    {"Max Drawdown", &stats::max_drawdown, negative_percent2},
    {"Calmar", &stats::calmar_ratio, ratio3},
    {"Recovery", &stats::recovery_factor, ratio3},
    {"Trades Per Year", &stats::trades_per_year, number1},
    {"Median PNL", &stats::median_pnl, signed_percent2},
    {"Avg Duration", &stats::avg_duration, minutes1},
    {"Avg Win Duration", &stats::avg_win_duration, minutes1},
    {"Avg Loss Duration", &stats::avg_loss_duration, minutes1},
    {"Avg Win Streak PNL", &stats::avg_win_streak_pnl, signed_percent3},
    {"Avg Loss Streak PNL", &stats::avg_loss_streak_pnl, signed_percent3},
    {"Avg Peak PNL", &stats::avg_peak_pnl, signed_percent2, {}, line_shown::when_measured},
    {"Avg Fall PNL", &stats::avg_fall_pnl, signed_percent2, {}, line_shown::when_measured},
    {"Exposure", &stats::exposure, percent2, {}, line_shown::when_measured},
};

constexpr const char* pooling_note =
    "*Portfolio figures pool the trades of all symbols in the order they closed, each with all "
    "capital: correlation between symbols and positions open at the same time are ignored.*\n";

/// Descending, absent figures last.
bool is_better(const std::optional<double>& left, const std::optional<double>& right) {
  return left && (!right || *left > *right);
}

bool stands_above(const heat_row& left, const heat_row& right) {
  for (const auto member : {&stats::sharpe_ratio, &stats::total_pnl}) {
    const auto& mine = left.statistics.*member;
    const auto& theirs = right.statistics.*member;
    if (mine != theirs)
      return is_better(mine, theirs);
  }
  return left.symbol < right.symbol;
}

} // namespace

column_list<heat_row> default_heat_columns() {
  return {
      {"symbol", "Symbol", [](const heat_row& row, std::size_t) { return text_or_na(row.symbol); }},
      figure_column<heat_row>("total_pnl", "Total PNL", &stats::total_pnl, signed_percent2),
      figure_column<heat_row>("sharpe_ratio", "Sharpe", &stats::sharpe_ratio, ratio3),
      figure_column<heat_row>("annualized_sharpe_ratio", "Ann Sharpe",
                              &stats::annualized_sharpe_ratio, ratio3),
      figure_column<heat_row>("sortino_ratio", "Sortino", &stats::sortino_ratio, ratio3),
      figure_column<heat_row>("profit_factor", "PF", &stats::profit_factor, ratio3),
      figure_column<heat_row>("expectancy", "Expect", &stats::expectancy, signed_percent2),
      figure_column<heat_row>("win_rate", "WR", &stats::win_rate, percent2),
      figure_column<heat_row>("avg_win", "Avg Win", &stats::avg_win, signed_percent2),
      figure_column<heat_row>("avg_loss", "Avg Loss", &stats::avg_loss, signed_percent2),
      figure_column<heat_row>("max_drawdown", "Max DD", &stats::max_drawdown, negative_percent2),
      figure_column<heat_row>("expected_yearly_returns", "Exp Yearly",
                              &stats::expected_yearly_returns, signed_percent2),
      figure_column<heat_row>("calmar_ratio", "Calmar", &stats::calmar_ratio, ratio3),
      figure_column<heat_row>("recovery_factor", "Recovery", &stats::recovery_factor, ratio3),
      figure_column<heat_row>("certainty_ratio", "Certainty", &stats::certainty_ratio, ratio3),
      figure_column<heat_row>("max_win_streak", "W Streak", &stats::max_win_streak),
      figure_column<heat_row>("max_loss_streak", "L Streak", &stats::max_loss_streak),
      figure_column<heat_row>("median_pnl", "Median PNL", &stats::median_pnl, signed_percent2),
      figure_column<heat_row>("avg_duration", "Avg Dur", &stats::avg_duration, number1),
      figure_column<heat_row>("total_trades", "Trades", &stats::total_signals),
      figure_column<heat_row>("buy_and_hold_return", "Buy and Hold", &stats::buy_and_hold_return,
                              signed_percent2),
      figure_column<heat_row>("exposure", "Exposure", &stats::exposure, percent2),
  };
}

heat_report::heat_report(std::string strategy_name, run_mode mode, const configuration& config)
    : strategy_name_(std::move(strategy_name)), mode_(mode), config_(config),
      together_(static_cast<std::size_t>(config.max_trade_sample)) {}

void heat_report::start(const std::string& symbol, const configuration& config) {
  config_ = config;
  symbols_.insert_or_assign(symbol, trade_ledger{config});
  forget_together();
}

void heat_report::clear(const std::string& symbol) {
  symbols_.erase(symbol);
  forget_together();
}

void heat_report::clear() noexcept {
  symbols_.clear();
  together_.clear();
}

/// Trades of one symbol cannot be taken out again: only when none is left the order begins anew.
void heat_report::forget_together() {
  const bool has_trades =
      together_.total() > 0 && std::any_of(symbols_.begin(), symbols_.end(), [](const auto& item) {
        return item.second.trades().total() > 0;
      });
  if (!has_trades)
    together_ = trade_sample{static_cast<std::size_t>(config_.max_trade_sample)};
}

void heat_report::apply(const tick_result& result, std::optional<std::uint64_t> seq) {
  if (result.action != tick_action::closed && result.action != tick_action::opened)
    return;
  const std::string symbol = result.run ? result.run->symbol : "";
  const auto trade = symbols_.try_emplace(symbol, config_).first->second.apply(result, seq);
  if (trade)
    together_.add(*trade);
}

void heat_report::set_bounds(const std::string& symbol, const run_bounds& bounds) {
  symbols_.try_emplace(symbol, config_).first->second.set_bounds(bounds);
}

heat_report_data heat_report::data() const {
  heat_report_data data;
  std::vector<const trade_ledger*> members;
  for (const auto& [symbol, ledger] : symbols_) {
    members.push_back(&ledger);
    if (ledger.trades().total() > 0)
      data.symbols.push_back({symbol, ledger.statistics()});
  }
  std::sort(data.symbols.begin(), data.symbols.end(), stands_above);
  data.total_symbols = std::ssize(data.symbols);
  data.portfolio = pooled_statistics(members, gates_of(config_), &together_);
  return data;
}

std::string heat_report::markdown(const column_list<heat_row>& columns) const {
  const std::string title = report_title("Portfolio Heatmap", strategy_name_) + '\n' +
                            facts_line({{"Mode", to_string(mode_)}});
  const heat_report_data figures = data();
  if (figures.symbols.empty())
    return join_blocks({title, "No data.\n"});
  return join_blocks({title,
                      counted_line("Total Symbols", figures.total_symbols) +
                          figure_lines(figures.portfolio, portfolio_lines),
                      markdown_table(columns, figures.symbols), pooling_note,
                      reliability_note(figures.portfolio, gates_of(config_))});
}

std::string heat_report::file_name() const { return strategy_file_name(strategy_name_, mode_); }

std::filesystem::path heat_report::dump(const std::filesystem::path& directory,
                                        const column_list<heat_row>& columns) const {
  return write_text_file(directory / report_folder::heat, file_name(), markdown(columns));
}

} // namespace backtest
