#include "runtime/walker_report.hpp"

#include "runtime/cell_text.hpp"
#include "runtime/figure_text.hpp"
#include "runtime/number_text.hpp"
#include "runtime/report_directory.hpp"
#include "runtime/report_text.hpp"
#include "runtime/text_file.hpp"
#include "runtime/tick_cells.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace backtest {

namespace {

using stats = trade_statistics;
using namespace figure_text;

constexpr std::array<std::string_view, 12> metrics{"sharpe_ratio",
                                                   "annualized_sharpe_ratio",
                                                   "win_rate",
                                                   "total_pnl",
                                                   "certainty_ratio",
                                                   "avg_pnl",
                                                   "expected_yearly_returns",
                                                   "sortino_ratio",
                                                   "calmar_ratio",
                                                   "recovery_factor",
                                                   "profit_factor",
                                                   "expectancy"};

const figure_line best_lines[] = {
    {"Total Signals", &stats::total_signals},
    {"Sortino Ratio", &stats::sortino_ratio, ratio3},
    {"Calmar Ratio", &stats::calmar_ratio, ratio3},
    {"Recovery Factor", &stats::recovery_factor, ratio3},
};

bool stands_above(const walker_result& left, const walker_result& right) {
  if (left.partial != right.partial)
    return right.partial;
  return left.metric_value && (!right.metric_value || *left.metric_value > *right.metric_value);
}

/// The winner of a ranking; null when none is eligible.
const walker_result* best_of(const std::vector<walker_result>& ranking) {
  if (ranking.empty() || ranking.front().partial || !ranking.front().metric_value)
    return nullptr;
  return &ranking.front();
}

std::string metric_cell(const walker_result& row, std::size_t) {
  if (row.metric_value)
    return fixed_text(row.metric_value, 3);
  return fmt::format("{} ({})", not_available, reason_unavailable(row.statistics, row.metric));
}

std::string tested_text(const walker_report_data& figures) {
  return fmt::format(
      "{} / {}{}{}", figures.strategies_tested, figures.total_strategies,
      figures.strategies_failed > 0 ? fmt::format(" ({} failed)", figures.strategies_failed) : "",
      figures.stopped ? " (stopped)" : "");
}

std::string head_lines(const walker_report_data& figures) {
  const auto name = [](std::string_view label, const std::string& value) {
    return labelled_line(label, text_or_na(single_line(value)));
  };
  return name("Symbol", figures.symbol) + name("Exchange", figures.exchange_name) +
         name("Frame", figures.frame_name) + name("Optimization Metric", figures.metric) +
         labelled_line("Strategies Tested", tested_text(figures));
}

std::string best_block(const walker_report_data& figures) {
  if (!figures.best_statistics)
    return fmt::format("No winner: no strategy that ran to its end has a {}.\n", figures.metric);
  return labelled_line("Best " + figures.metric, fixed_text(figures.best_metric, 3)) +
         figure_lines(*figures.best_statistics, best_lines);
}

} // namespace

std::span<const std::string_view> walker_metrics() noexcept { return metrics; }

void require_walker_metric(std::string_view metric) {
  if (std::find(metrics.begin(), metrics.end(), metric) == metrics.end())
    throw failure(error_code::invalid_argument,
                  fmt::format("walker metric \"{}\" is unknown, must be one of {}", metric,
                              fmt::join(metrics, ", ")));
}

std::optional<double> metric_of(const trade_statistics& statistics, std::string_view metric) {
  const auto value = find_statistic(statistics, metric);
  const auto* figure = value ? std::get_if<std::optional<double>>(&*value) : nullptr;
  return figure == nullptr || !*figure || !std::isfinite(**figure) ? std::nullopt : *figure;
}

std::vector<walker_result> ranked(std::vector<walker_result> results) {
  std::stable_sort(results.begin(), results.end(), stands_above);
  return results;
}

column_list<walker_result> default_walker_strategy_columns() {
  return {
      {"rank", "Rank",
       [](const walker_result&, std::size_t index) { return fmt::format("{}", index + 1); }},
      {"strategy", "Strategy",
       [](const walker_result& row, std::size_t) {
         return text_or_na(row.strategy_name) + (row.partial ? " (partial)" : "");
       }},
      {"metric", "Metric", metric_cell},
      figure_column<walker_result>("total_signals", "Total Signals", &stats::total_signals),
      figure_column<walker_result>("win_rate", "Win Rate", &stats::win_rate, percent2),
      figure_column<walker_result>("avg_pnl", "Avg PNL", &stats::avg_pnl, signed_percent2),
      figure_column<walker_result>("total_pnl", "Total PNL", &stats::total_pnl, signed_percent2),
      figure_column<walker_result>("sharpe_ratio", "Sharpe Ratio", &stats::sharpe_ratio, ratio3),
      figure_column<walker_result>("std_dev", "Std Dev", &stats::std_dev, percent3),
      figure_column<walker_result>("sortino_ratio", "Sortino", &stats::sortino_ratio, ratio3),
      figure_column<walker_result>("calmar_ratio", "Calmar", &stats::calmar_ratio, ratio3),
      figure_column<walker_result>("recovery_factor", "Recovery", &stats::recovery_factor, ratio3),
      figure_column<walker_result>("max_drawdown", "Max DD", &stats::max_drawdown,
                                   negative_percent2),
      figure_column<walker_result>("buy_and_hold_return", "Buy and Hold",
                                   &stats::buy_and_hold_return, signed_percent2),
      figure_column<walker_result>("exposure", "Exposure", &stats::exposure, percent2),
  };
}

column_list<tick_result> default_walker_pnl_columns() {
  return {
      {"strategy", "Strategy", tick_cells::strategy},
      {"signal_id", "Signal ID", tick_cells::signal_id},
      {"symbol", "Symbol", tick_cells::symbol},
      {"position", "Position", tick_cells::position},
      {"pnl", "PNL (net)", tick_cells::pnl},
      {"close_reason", "Close Reason", tick_cells::reason},
      {"open_time", "Open Time", tick_cells::open_time},
      {"close_time", "Close Time", tick_cells::close_time},
  };
}

walker_report::walker_report(const walker_schema& walker, std::string symbol,
                             const configuration& config)
    : walker_name_(walker.walker_name), exchange_name_(walker.exchange_name),
      frame_name_(walker.frame_name), metric_(walker.metric), symbol_(std::move(symbol)),
      max_rows_(static_cast<std::size_t>(config.max_report_rows)) {
  require_walker_metric(metric_);
  for (const auto& strategy_name : walker.strategies)
    entries_.push_back({strategy_name, false, {}, {}});
}

walker_report::entry& walker_report::entry_of(const std::string& strategy_name) {
  const auto found = std::find_if(entries_.begin(), entries_.end(), [&](const entry& item) {
    return item.strategy_name == strategy_name;
  });
  if (found == entries_.end())
    throw failure(error_code::not_found,
                  fmt::format("strategy {} is not one of walker {}", strategy_name, walker_name_));
  return *found;
}

void walker_report::add(const std::string& strategy_name, backtest_report_data result,
                        bool partial) {
  entry& item = entry_of(strategy_name);
  const auto value = metric_of(result.statistics, metric_);
  item.has_failed = false;
  item.result = {strategy_name, std::move(result.statistics), metric_, value, partial};
  item.signals = std::move(result.signal_list);
  if (item.signals.size() > max_rows_)
    item.signals.resize(max_rows_);
}

void walker_report::add_failure(const std::string& strategy_name) {
  entry& item = entry_of(strategy_name);
  item = {strategy_name, true, {}, {}};
}

void walker_report::clear() {
  is_stop_asked_ = false;
  for (entry& item : entries_)
    item = {std::move(item.strategy_name), false, {}, {}};
}

walker_report_data walker_report::data() const {
  walker_report_data data{walker_name_,
                          symbol_,
                          exchange_name_,
                          frame_name_,
                          metric_,
                          std::ssize(entries_),
                          0,
                          0,
                          false,
                          {},
                          {},
                          {},
                          {}};
  std::vector<walker_result> results;
  for (const entry& item : entries_) {
    data.strategies_failed += item.has_failed ? 1 : 0;
    data.strategies_tested += item.result && !item.result->partial ? 1 : 0;
    if (item.result)
      results.push_back(*item.result);
  }
  data.stopped =
      is_stop_asked_ && data.strategies_tested + data.strategies_failed < data.total_strategies;
  data.strategy_results = ranked(std::move(results));
  if (const auto* best = best_of(data.strategy_results)) {
    data.best_strategy = best->strategy_name;
    data.best_metric = best->metric_value;
    data.best_statistics = best->statistics;
  }
  return data;
}

std::vector<tick_result> walker_report::signals() const {
  std::vector<tick_result> all;
  for (const entry& item : entries_)
    all.insert(all.end(), item.signals.begin(), item.signals.end());
  return all;
}

std::string walker_report::markdown(const column_list<walker_result>& strategy_columns,
                                    const column_list<tick_result>& pnl_columns) const {
  const walker_report_data figures = data();
  const auto table_or = [](const auto& columns, const auto& rows, const char* nothing) {
    return rows.empty() ? std::string(nothing) : markdown_table(columns, rows);
  };
  const auto& ranking = figures.strategy_results;
  const std::span top{ranking.data(), std::min(ranking.size(), walker_top_n)};
  const auto closed = signals();
  std::int64_t all_closed = 0;
  for (const walker_result& result : ranking)
    all_closed += result.statistics.total_signals;
  return join_blocks(
      {report_title("Walker Comparison Report", figures.walker_name), head_lines(figures),
       fmt::format("## Best Strategy: {}\n",
                   text_or_na(single_line(figures.best_strategy.value_or("")))),
       ranking.empty() ? "" : best_block(figures), "## Top Strategies Comparison\n",
       table_or(strategy_columns, top, "No strategy results.\n"),
       std::ssize(top) < std::ssize(ranking)
           ? fmt::format("*The best {} of {} strategies.*\n", top.size(), ranking.size())
           : "",
       "## All Signals (PNL Table)\n", table_or(pnl_columns, closed, "No closed signals.\n"),
       part_note(std::ssize(closed), all_closed),
       "*Higher values are better, except of Std Dev and Max DD.*\n"});
}

std::string walker_report::file_name() const { return report_file_name(symbol_, walker_name_); }

std::filesystem::path walker_report::dump(const std::filesystem::path& directory,
                                          const column_list<walker_result>& strategy_columns,
                                          const column_list<tick_result>& pnl_columns) const {
  return write_text_file(directory / report_folder::walker, file_name(),
                         markdown(strategy_columns, pnl_columns));
}

} // namespace backtest
