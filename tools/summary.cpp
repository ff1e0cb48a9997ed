#include "tools/summary.hpp"

#include "messages/statistics_json.hpp"
#include "runtime/number_text.hpp"
#include "runtime/summary_table.hpp"
#include "runtime/terminal_text.hpp"

#include <algorithm>
#include <tuple>

#include <fmt/format.h>

namespace backtest::tools {

namespace {

void write_statistics(json_writer& out, const trade_statistics& statistics) {
  write_json(out.key("statistics"), statistics);
}

void write_names(json_writer& out, std::string_view key, const std::vector<std::string>& names) {
  out.key(key).begin_array();
  for (const auto& name : names)
    out.string(name);
  out.end_array();
}

void write_run(json_writer& out, const portfolio_outcome::run& run) {
  const auto& [identity, outcome, problem, instants, gaps, absent, counters, errors, minutes] =
      run.summary;
  out.begin_object();
  out.key("strategy_name").string(identity->strategy_name);
  out.key("symbol").string(identity->symbol);
  out.key("outcome").string(to_string(outcome));
  if (problem)
    out.key("error").string(problem->message);
  out.key("instants").integer(instants).key("gaps").integer(gaps);
  if (absent.instants > 0) {
    out.key("instants_without_candles").integer(absent.instants);
    if (absent.until)
      out.key("candles_begin").integer(*absent.until);
    else
      out.key("candles_begin").null();
  }
  write_signal_counts(out, counters);
  out.key("errors").integer(errors);
  write_statistics(out, run.statistics);
  out.end_object();
}

} // namespace

void write_signal_counts(json_writer& out, const run_counters& counters) {
  out.key("signals").begin_object();
  out.key("scheduled").integer(counters.scheduled).key("opened").integer(counters.opened);
  out.key("closed").integer(counters.closed).key("cancelled").integer(counters.cancelled);
  out.key("unfinished").integer(counters.unfinished).end_object();
  out.key("risk_rejections").integer(counters.risk_rejections);
}

bool portfolio_outcome::any_failed() const {
  return std::any_of(runs.begin(), runs.end(),
                     [](const run& item) { return item.summary.outcome == run_outcome::failed; });
}

portfolio_outcome outcome_of(runtime& target, const run_handle& handle, run_mode mode) {
  portfolio_outcome outcome;
  std::vector<shared_identity> identities;
  for (auto& summary : handle.summaries()) {
    identities.push_back(summary.identity);
    const auto& [symbol, strategy] =
        std::tie(summary.identity->symbol, summary.identity->strategy_name);
    auto statistics = mode == run_mode::live ? target.live().statistics(symbol, strategy)
                                             : target.backtest().get_data(symbol, strategy).statistics;
    outcome.runs.push_back({std::move(summary), std::move(statistics)});
  }
  outcome.portfolio = target.backtest().portfolio_statistics(identities);
  return outcome;
}

std::optional<std::string> warning_of(const run_summary& run) {
  const auto& [expected, missing] = run.minutes;
  if (!run.minutes.are_mostly_missing())
    return std::nullopt;
  return fmt::format(
      "warning: {} on {}: {} of {} minutes ({}) are gaps; its results rest on few candles",
      run.identity->strategy_name, run.identity->symbol, missing, expected,
      percent_text(100.0 * static_cast<double>(missing) / static_cast<double>(expected), 1));
}

std::vector<std::string> warnings_of(const portfolio_outcome& outcome) {
  std::vector<std::string> warnings;
  for (const auto& run : outcome.runs)
    if (auto warning = warning_of(run.summary))
      warnings.push_back(*std::move(warning));
  return warnings;
}

std::string to_json(const portfolio_outcome& outcome) {
  std::string text;
  json_writer out{text};
  out.begin_object();
  out.key("command").string(outcome.command);
  write_names(out, "symbols", outcome.request.symbols);
  out.key("frame").string(outcome.request.frame).key("exchange").string(outcome.request.exchange);
  out.key("threads").integer(static_cast<std::int64_t>(outcome.threads));
  out.key("elapsed_seconds").number(outcome.elapsed_seconds);
  out.key("runs").begin_array();
  for (const auto& run : outcome.runs)
    write_run(out, run);
  out.end_array();
  out.key("portfolio").begin_object();
  write_statistics(out, outcome.portfolio);
  out.end_object().end_object();
  return text + '\n';
}

std::string to_table(const portfolio_outcome& outcome, bool coloured) {
  std::vector<summary_row> rows;
  std::int64_t opened = 0;
  auto overall = run_outcome::completed;
  for (const auto& [summary, statistics] : outcome.runs) {
    rows.push_back(summary_row_of(summary.identity->strategy_name, summary.identity->symbol,
                                  summary.counters.opened, statistics, summary.outcome));
    opened += summary.counters.opened;
    overall = std::max(overall, summary.outcome);
  }
  auto text =
      summary_table(rows, summary_row_of("portfolio", "", opened, outcome.portfolio, overall),
                    coloured ? text_colour::ansi : text_colour::plain);
  for (const auto& warning : warnings_of(outcome))
    text += printable(warning) + '\n';
  return text;
}

} // namespace backtest::tools
