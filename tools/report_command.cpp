#include "runtime/event_file.hpp"
#include "runtime/html_report_text.hpp"
#include "runtime/terminal_text.hpp"
#include "tools/candle_access.hpp"
#include "tools/commands.hpp"
#include "tools/html_file.hpp"
#include "tools/saved_reports.hpp"
#include "tools/saved_walks.hpp"
#include "tools/selection.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>

#include <fmt/format.h>

namespace backtest::tools {

namespace {

struct report_options {
  common_options common;
  configuration_options configuration;
  std::filesystem::path events;
  std::filesystem::path html;
  std::filesystem::path markdown;
};

/// Candles of the configured exchange of that name; without one the charts do with less.
void take_configured_candles(html_report& report, const opened_configuration& opened,
                             attempts& work) {
  for (const auto& exchange : opened.file.schemas.exchanges)
    if (exchange.exchange_name == report.facts.exchange)
      take_candles(report, exchange, opened.file.parameters, work);
}

/// Candles of the symbols whose runs did not fail, from first to last instant of a backtest; those
/// that cannot be read are told, and left out.
std::map<std::string, shared_series> held_candles(const opened_configuration& opened,
                                                  const recorded_run& run,
                                                  const std::vector<event>& events,
                                                  attempts& work) {
  std::map<std::string, shared_series> held;
  const auto bounds = bounds_of(run);
  if (!bounds || run.command == "live")
    return held;
  std::set<std::string> completed;
  for (const auto& item : events) {
    const auto* done = std::get_if<done_event>(&item.payload);
    if ((done != nullptr && done->outcome != run_outcome::failed) ||
        std::holds_alternative<walker_event>(item.payload))
      completed.insert(identity_of(item)->symbol);
  }
  for (const auto& exchange : opened.file.schemas.exchanges) {
    if (exchange.exchange_name != run.exchange || !exchange.source)
      continue;
    for (const auto& symbol : exchange.source->symbols())
      if (completed.count(symbol) > 0)
        work.make([&] {
          held[symbol] = std::make_shared<const candle_series>(
              candles_of(exchange, symbol, bounds->first, bounds->second, opened.file.parameters));
        });
  }
  return held;
}

html_report page_of(const recorded_run& run, const configuration& parameters,
                    const std::vector<event>& events, const saved_reports& saved,
                    const std::optional<opened_configuration>& opened, attempts& work) {
  html_report report;
  report.facts = facts_of(run);
  report.step = step_of(run.configuration, run.frame);
  report.mode = run.command == "live" ? run_mode::live : run_mode::backtest;
  report.gates = gates_of(parameters);
  report.bounds = bounds_of(run);
  for (const auto& symbol : run.symbols)
    for (const auto& strategy : run.strategies)
      report.runs[{symbol, strategy}];
  for (const auto& item : events)
    report.apply(item);
  if (report.mode == run_mode::backtest) {
    for (auto& [names, told] : report.runs)
      if (const auto* ledger = saved.find_ledger(names.first, names.second))
        told.statistics = ledger->statistics();
    report.portfolio = saved.portfolio_statistics();
  }
  for (const auto& walk : saved_walks(run, parameters, events)) {
    report.walks.push_back(walk.data());
    report.portfolio.reset(); // of rivals there is none
    for (const auto& item : report.walks.back().strategy_results)
      report.runs[{report.walks.back().symbol, item.strategy_name}].statistics = item.statistics;
  }
  if (opened) {
    report.facts.configuration = html::indented_json(opened->file.raw);
    take_configured_candles(report, *opened, work);
  }
  return report;
}

std::vector<std::string> sentences_of(const missing_lines& missing) {
  auto all = missing.lost;
  all.insert(all.end(), missing.unended.begin(), missing.unended.end());
  return all;
}

/// In front of printed reports.
std::string incompleteness(const missing_lines& missing) {
  if (missing.empty())
    return {};
  return fmt::format("> **Not everything that happened is in these events:** {}.\n\n",
                     printable(fmt::format("{}", fmt::join(sentences_of(missing), "; "))));
}

/// The exit code. The file of a live run may be read while the run goes on.
int tell_missing(const report_options& options, const missing_lines& missing, bool is_live) {
  for (const auto& text : sentences_of(missing))
    print_problem(fmt::format("{}: {}", options.events.string(), text));
  const bool is_whole = missing.lost.empty() && (is_live || missing.unended.empty());
  return is_whole ? exit_done : exit_failed;
}

int make_reports(const report_options& options) {
  const auto opened = open_if_given(options.configuration, options.common);
  std::vector<named_file> read{{"--events", options.events}};
  if (opened) {
    const auto of_configuration = files_read(options.configuration, *opened);
    read.insert(read.end(), of_configuration.begin(), of_configuration.end());
  }
  if (!options.html.empty())
    require_distinct_files({{"--html", options.html}}, read);
  std::vector<event> events;
  event_file_check check;
  const auto run = read_event_file(options.events, [&](event_line&& line) {
    check.hear(line);
    events.push_back(std::move(line.item));
  });
  const auto missing = check.findings(run);
  const auto parameters = opened ? opened->file.parameters : parameters_of(run);
  attempts work;
  const saved_reports saved{run, parameters, events,
                            opened ? held_candles(*opened, run, events, work)
                                   : std::map<std::string, shared_series>{}};
  if (!options.html.empty())
    work.make([&] {
      auto page = page_of(run, parameters, events, saved, opened, work);
      page.missing = sentences_of(missing);
      write_html(page, options.html);
    });
  if (!options.markdown.empty())
    work.make([&] { saved.write(options.markdown); });
  else if (options.html.empty())
    work.make([&] { print_result(incompleteness(missing) + saved.pages()); });
  const int status = tell_missing(options, missing, run.command == "live");
  return work.succeeded() ? status : exit_failed;
}

} // namespace

void add_report_command(CLI::App& program, action& chosen) {
  const auto options = std::make_shared<report_options>();
  auto& command = add_command(
      program, "report", "Render reports from saved events: an HTML page, markdown, or both",
      "  backtest run --config config.json --events events.jsonl\n"
      "  backtest report --events events.jsonl\n"
      "  backtest report --events events.jsonl --html report.html\n"
      "  backtest report --events events.jsonl --config config.json --html report.html\n"
      "  backtest report --events events.jsonl --markdown reports\n"
      "Without --html and --markdown the reports of all runs are printed. With --config the page\n"
      "shows that configuration, and the candles of its files in the price charts. A file that has\n"
      "lost lines, or the end of its backtest, is reported on as far as it goes, with exit code 1.",
      options->common);
  command.add_option("--events", options->events, "Event lines written by run or live")
      ->required()
      ->type_name("FILE");
  add_optional_configuration(command, options->configuration, "Configuration of the run");
  command.add_option("--html", options->html, "Write one page with charts (- for stdout)")
      ->type_name("FILE");
  command
      .add_option("--markdown", options->markdown,
                  "Write every report there are events for, a directory for each kind")
      ->type_name("DIR");
  perform_when_chosen(command, chosen, options, &make_reports);
}

} // namespace backtest::tools
