#include "tools/walk_summary.hpp"

#include "messages/statistics_json.hpp"
#include "runtime/number_text.hpp"
#include "runtime/terminal_text.hpp"
#include "tools/summary.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace backtest::tools {

namespace {

using table_row = std::array<std::string, 8>;

table_row cells_of(const walker_result& result, std::size_t rank) {
  const auto& figures = result.statistics;
  const auto drawdown = figures.max_drawdown ? std::optional(-*figures.max_drawdown) : std::nullopt;
  return {result.partial ? "-" : fmt::format("{}", rank),
          printable(result.strategy_name) + (result.partial ? " (partial)" : ""),
          fixed_text(result.metric_value, 3),
          fmt::format("{}", figures.total_signals),
          percent_text(figures.win_rate, 2),
          signed_percent_text(figures.total_pnl, 2),
          fixed_text(figures.sharpe_ratio, 3),
          percent_text(drawdown, 2)};
}

std::string aligned(const std::vector<table_row>& rows) {
  std::array<std::size_t, std::tuple_size_v<table_row>> widths{};
  for (const auto& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], width_of(row[i]));
  std::string text;
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string padding(widths[i] - width_of(row[i]), ' ');
      text += i == 0 ? "" : "  ";
      text += i == 1 ? row[i] + padding : padding + row[i];
    }
    text += '\n';
  }
  return text;
}

/// The winner, or why there is none.
std::string verdict(const walker_report_data& result) {
  if (result.best_strategy)
    return fmt::format("Winner: {}, {} {}\n", printable(*result.best_strategy), result.metric,
                       fixed_text(result.best_metric, 3));
  std::string reasons;
  for (const auto& item : result.strategy_results)
    reasons +=
        fmt::format("{}{}: {}", reasons.empty() ? " (" : ", ", printable(item.strategy_name),
                    item.partial ? "cut short" : reason_unavailable(item.statistics, item.metric));
  return fmt::format("No winner: no strategy that ran to its end has a {}{}\n", result.metric,
                     reasons.empty() ? "" : reasons + ")");
}

std::string to_table(const walk_outcome& walk) {
  const auto& result = walk.result;
  std::string text = fmt::format("{} on {}: {} of {} strategies tested, {} failed{}\n",
                                 printable(result.walker_name), printable(result.symbol),
                                 result.strategies_tested, result.total_strategies,
                                 result.strategies_failed, result.stopped ? ", stopped" : "");
  std::vector<table_row> rows{{"Rank", "Strategy", result.metric, "Signals", "Win rate",
                               "Total PNL", "Sharpe", "Max DD"}};
  for (const auto& item : result.strategy_results)
    rows.push_back(cells_of(item, rows.size()));
  if (rows.size() > 1)
    text += aligned(rows);
  text += verdict(result);
  for (const auto& warning : walk.warnings)
    text += printable(warning) + '\n';
  return text;
}

void write_name(json_writer& out, const std::optional<std::string>& name) {
  name ? out.string(*name) : out.null();
}
void write_figure(json_writer& out, const std::optional<double>& figure) {
  figure ? out.number(*figure) : out.null();
}

void write_walk(json_writer& out, const walk_outcome& walk) {
  const auto& result = walk.result;
  out.begin_object();
  out.key("symbol").string(result.symbol);
  out.key("outcome").string(walk.status.problem ? "failed"
                            : result.stopped    ? "stopped"
                                                : "completed");
  if (walk.status.problem)
    out.key("error").string(walk.status.problem->message);
  out.key("total_strategies").integer(result.total_strategies);
  out.key("strategies_tested").integer(result.strategies_tested);
  out.key("strategies_failed").integer(result.strategies_failed);
  write_name(out.key("best_strategy"), result.best_strategy);
  write_figure(out.key("best_metric"), result.best_metric);
  out.key("ranking").begin_array();
  std::int64_t rank = 0;
  for (const auto& item : result.strategy_results) {
    out.begin_object().key("rank").integer(++rank);
    out.key("strategy_name").string(item.strategy_name);
    write_figure(out.key("metric_value"), item.metric_value);
    out.key("partial").boolean(item.partial);
    write_json(out.key("statistics"), item.statistics);
    out.end_object();
  }
  out.end_array();
  out.key("failed").begin_array();
  for (const auto& item : walk.failed) {
    out.begin_object().key("strategy_name").string(item.strategy_name);
    out.key("error").string(item.message).end_object();
  }
  out.end_array().end_object();
}

} // namespace

bool walk_summary::any_failed() const {
  return std::any_of(walks.begin(), walks.end(), [](const walk_outcome& walk) {
    return walk.status.problem || walk.result.strategies_failed > 0;
  });
}

std::vector<std::string> walk_summary::warnings() const {
  std::vector<std::string> all;
  for (const auto& walk : walks)
    all.insert(all.end(), walk.warnings.begin(), walk.warnings.end());
  return all;
}

walk_outcome walk_outcome_of(runtime& target, const walker_schema& walker,
                             const walker_handle& handle) {
  walk_outcome outcome{handle.data(), handle.status(), {}, {}};
  for (const auto& run : handle.summaries())
    if (auto warning = warning_of(run))
      outcome.warnings.push_back(*std::move(warning));
  const auto& results = outcome.result.strategy_results;
  for (const auto& name : walker.strategies) {
    const bool has_result = std::any_of(results.begin(), results.end(), [&](const auto& item) {
      return item.strategy_name == name;
    });
    const auto status = target.backtest().status(outcome.result.symbol, name);
    if (!has_result && status.problem)
      outcome.failed.push_back({name, status.problem->message});
  }
  return outcome;
}

std::string to_json(const walk_summary& summary) {
  std::string text;
  json_writer out{text};
  out.begin_object().key("command").string("walk");
  out.key("walker").string(summary.walker.walker_name);
  out.key("metric").string(summary.walker.metric);
  out.key("symbols").begin_array();
  for (const auto& symbol : summary.symbols)
    out.string(symbol);
  out.end_array();
  out.key("frame").string(summary.walker.frame_name);
  out.key("exchange").string(summary.walker.exchange_name);
  out.key("threads").integer(static_cast<std::int64_t>(summary.threads));
  out.key("elapsed_seconds").number(summary.elapsed_seconds);
  out.key("walks").begin_array();
  for (const auto& walk : summary.walks)
    write_walk(out, walk);
  out.end_array().end_object();
  return text + '\n';
}

std::string to_table(const walk_summary& summary) {
  std::string text;
  for (const auto& walk : summary.walks)
    text += (text.empty() ? "" : "\n") + to_table(walk);
  return text;
}

} // namespace backtest::tools
