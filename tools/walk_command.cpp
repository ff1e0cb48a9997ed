#include "actors/frame/timeline.hpp"
#include "tools/audience.hpp"
#include "tools/commands.hpp"
#include "tools/html_file.hpp"
#include "tools/interruption.hpp"
#include "tools/report_files.hpp"
#include "tools/selection.hpp"
#include "tools/walk_summary.hpp"

#include <chrono>
#include <memory>

#include <fmt/format.h>

namespace backtest::tools {

namespace {

struct walk_options {
  common_options common;
  configuration_options configuration;
  std::string walker;
  std::vector<std::string> symbols;
  output_options outputs;
  std::filesystem::path data_directory;
  std::size_t threads = 0;
};

walker_schema chosen_walker(const runtime& target, const std::string& name) {
  std::vector<std::string> known;
  for (auto& schema : target.list_walkers()) {
    if (schema.walker_name == name)
      return schema;
    known.push_back(std::move(schema.walker_name));
  }
  throw failure(error_code::not_found,
                fmt::format("--walker: there is no walker \"{}\", expected one of {}", name,
                            comma_list(known)));
}

/// One symbol after another, until Ctrl-C.
void walk_symbols(runtime& target, walk_summary& summary, const interruption& interrupted) {
  for (const auto& symbol : summary.symbols) {
    if (interrupted.token().stop_requested())
      return;
    auto handle = target.walker().background(symbol, summary.walker.walker_name);
    {
      const std::stop_callback stop{interrupted.token(), [&handle] { handle.cancel(); }};
      handle.wait();
    }
    summary.walks.push_back(walk_outcome_of(target, summary.walker, handle));
  }
}

void print_failures(const walk_summary& summary) {
  for (const auto& walk : summary.walks) {
    for (const auto& item : walk.failed)
      print_problem(
          fmt::format("{} on {} failed: {}", item.strategy_name, walk.result.symbol, item.message));
    if (walk.status.problem)
      print_problem(fmt::format("walker {} on {} failed: {}", walk.result.walker_name,
                                walk.result.symbol, walk.status.problem->message));
  }
}

void write_reports_of(runtime& target, const walk_summary& summary,
                      const std::filesystem::path& directory) {
  std::vector<shared_identity> runs;
  for (const auto& walk : summary.walks) {
    target.walker().dump(walk.result.symbol, summary.walker.walker_name, directory);
    for (const auto& item : walk.result.strategy_results)
      runs.push_back(std::make_shared<const run_identity>(
          run_identity{walk.result.symbol, item.strategy_name, summary.walker.exchange_name,
                       summary.walker.frame_name, run_mode::backtest}));
  }
  write_reports(target, runs, directory);
}

void write_page(runtime& target, const walk_summary& summary, html_report& page,
                const std::filesystem::path& file, attempts& telling) {
  for (const auto& walk : summary.walks) {
    page.walks.push_back(walk.result);
    for (const auto& item : walk.result.strategy_results)
      page.runs[{walk.result.symbol, item.strategy_name}].statistics = item.statistics;
  }
  const auto instants = timeline_of(target.get_frame(summary.walker.frame_name));
  page.bounds = {instants.first, instants.last};
  page.warnings = summary.warnings();
  take_candles(page, target.get_exchange(summary.walker.exchange_name), target.get_config(),
               telling);
  write_html(page, file);
}

int walk_and_tell(const walk_options& options) {
  walk_summary summary;
  summary.threads = thread_count(options.threads);
  auto of_runtime = options_of(options.common, summary.threads);
  of_runtime.reports = reports_kept_for(options.outputs.reports);
  of_runtime.data_directory = options.data_directory;
  const auto opened = open_configuration(options.configuration, std::move(of_runtime));
  require_distinct_files(options.outputs.files(), files_read(options.configuration, opened));
  auto& target = *opened.target;
  summary.walker = chosen_walker(target, options.walker);
  summary.symbols =
      chosen_symbols(target.get_exchange(summary.walker.exchange_name), options.symbols);
  target.walker().status(summary.symbols.front(), options.walker); // the names in it
  note_future_frame(target, summary.walker.frame_name, options.common);
  run_header header;
  header.command = "walk";
  header.configuration = opened.file.raw;
  header.request = {summary.symbols, summary.walker.strategies, summary.walker.exchange_name,
                    summary.walker.frame_name};
  const interruption interrupted;
  audience listeners{target,
                     header,
                     options.outputs,
                     options.common,
                     {topic::walker, topic::walker_complete, topic::done_walker}};
  const auto began = std::chrono::steady_clock::now();
  walk_symbols(target, summary, interrupted);
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - began;
  summary.elapsed_seconds = elapsed.count();
  const bool good = listeners.close() && !summary.any_failed();
  print_failures(summary);
  if (!options.common.quiet) {
    listeners.print_errors({});
    for (const auto& warning : summary.warnings())
      print_problem(warning);
  }
  attempts telling;
  telling.make([&] {
    print_summary(options.outputs, options.outputs.json ? to_json(summary) : to_table(summary));
  });
  if (!options.outputs.reports.empty())
    telling.make([&] { write_reports_of(target, summary, options.outputs.reports); });
  if (auto* const page = listeners.page())
    telling.make([&] { write_page(target, summary, *page, options.outputs.html, telling); });
  return good && telling.succeeded() ? exit_done : exit_failed;
}

} // namespace

void add_walk_command(CLI::App& program, action& chosen) {
  const auto options = std::make_shared<walk_options>();
  auto& command = add_command(
      program, "walk", "Backtest the strategies of a walker one by one, and rank them",
      "  backtest walk --config config.json --walker compare\n"
      "  backtest walk --config config.json --walker compare --symbol BTCUSDT --json\n"
      "  backtest walk --config config.json --walker compare --reports reports --html walk.html\n"
      "  backtest walk --config config.json --walker compare --data-dir data\n"
      "Every symbol has a ranking of its own. Strategies work at the same time, one for each\n"
      "thread; what is told is the same as one after another. Values that are not available never "
      "win; ties go to\n"
      "the strategy named first.",
      options->common);
  add_configuration_options(command, options->configuration);
  command.add_option("--walker", options->walker, "Walker of the configuration")
      ->required()
      ->type_name("NAME");
  command.add_option("--symbol", options->symbols, "Symbol (repeatable; default: all)")
      ->type_name("NAME")
      ->allow_extra_args(false);
  add_data_directory(command, options->data_directory);
  add_threads_option(command, options->threads);
  add_output_options(command, options->outputs);
  command.add_option("--reports", options->outputs.reports, "Write markdown reports")
      ->type_name("DIR");
  perform_when_chosen(command, chosen, options, &walk_and_tell);
}

} // namespace backtest::tools
