#include "runtime/html_report_walk.hpp"

#include "runtime/html_report_charts.hpp"
#include "runtime/html_report_tables.hpp"
#include "runtime/html_report_text.hpp"
#include "runtime/number_text.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace backtest::html {

namespace {

constexpr std::size_t most_lines = 8;

const html_run* run_of(const html_report& report, const walker_report_data& walk,
                       const std::string& strategy) {
  const auto found = report.runs.find({walk.symbol, strategy});
  return found == report.runs.end() ? nullptr : &found->second;
}

std::vector<trade_record> records_of(const html_run& run) {
  std::vector<trade_record> records;
  for (const auto& trade : run.trades)
    records.push_back(trade.record);
  return records;
}

/// Equity of the strategies, best first.
std::vector<line> equity_of(const html_report& report, const walker_report_data& walk) {
  std::vector<line> lines;
  for (const auto& result : walk.strategy_results) {
    const auto* run = run_of(report, walk, result.strategy_name);
    if (run == nullptr || run->trades.empty() || lines.size() == most_lines)
      continue;
    const auto records = records_of(*run);
    const std::vector<std::span<const trade_record>> members{records};
    lines.push_back({result.strategy_name, curves_of(in_order(members)).equity});
  }
  return lines;
}

time_span span_of(const std::vector<line>& lines) {
  time_span span{lines.front().points.front().when, lines.front().points.back().when};
  for (const auto& each : lines) {
    span.from = std::min(span.from, each.points.front().when);
    span.until = std::max(span.until, each.points.back().when);
  }
  span.until = std::max(span.until, span.from + minute_ms);
  return span;
}

std::string verdict_of(const walker_report_data& walk) {
  const auto tested = fmt::format(
      "{} of {} strategies tested{}{}.", grouped(walk.strategies_tested),
      grouped(walk.total_strategies),
      walk.strategies_failed > 0 ? fmt::format(", {} failed", grouped(walk.strategies_failed)) : "",
      walk.stopped ? ", stopped before the end" : "");
  if (!walk.best_strategy)
    return fmt::format("No winner: no strategy that ran to its end has a {}. {}",
                       escaped(walk.metric), tested);
  return fmt::format("Winner: {}, {} {}. {}", name(*walk.best_strategy), escaped(walk.metric),
                     fixed_text(walk.best_metric, 3), tested);
}

std::string chart_of(const html_report& report, const walker_report_data& walk) {
  const auto lines = equity_of(report, walk);
  if (lines.empty())
    return empty_state("No trade has closed.");
  std::string note;
  if (lines.size() < walk.strategy_results.size())
    note = fmt::format("<p class=\"note\">The {} best strategies that traded are drawn.</p>",
                       lines.size());
  return "<h3>Equity, % gained since the start</h3>" + note + equity_figure(lines, span_of(lines));
}

} // namespace

std::string walk_sections(const html_report& report) {
  std::string out;
  std::size_t number = 0;
  for (const auto& walk : report.walks)
    out += section(number++ == 0 ? "ranking" : fmt::format("ranking-{}", number),
                   "Ranking on " + name(walk.symbol), verdict_of(walk),
                   (walk.strategy_results.empty() ? empty_state("No strategy came to a result.")
                                                  : ranking_table(walk)) +
                       chart_of(report, walk));
  return out;
}

html_report winners_of(const html_report& report) {
  html_report winners;
  winners.facts = report.facts;
  winners.mode = report.mode;
  winners.gates = report.gates;
  winners.problems = report.problems;
  winners.bounds = report.bounds;
  winners.candles = report.candles;
  winners.first_instant = report.first_instant;
  winners.last_instant = report.last_instant;
  winners.event_count = report.event_count;
  winners.facts.symbols.clear();
  winners.facts.strategies.clear();
  for (const auto& walk : report.walks)
    if (walk.best_strategy)
      if (const auto* run = run_of(report, walk, *walk.best_strategy))
        winners.runs.emplace(html_run_key{walk.symbol, *walk.best_strategy}, *run);
  for (const auto& refused : report.rejections)
    if (winners.runs.count(refused.run) > 0)
      winners.rejections.push_back(refused);
  return winners;
}

} // namespace backtest::html
