#include "tools/commands.hpp"
#include "tools/portfolio_session.hpp"
#include "tools/report_files.hpp"
#include "tools/selection.hpp"

#include <memory>

namespace backtest::tools {

namespace {

struct run_options {
  common_options common;
  configuration_options configuration;
  selection_options selection;
  output_options outputs;
  std::filesystem::path data_directory;
  std::size_t threads = 0;
  bool lockstep = false;
};

int run(const run_options& options) {
  const auto threads = thread_count(options.threads, options.lockstep);
  auto of_runtime = options_of(options.common, threads);
  of_runtime.reports = reports_kept_for(options.outputs.reports);
  of_runtime.data_directory = options.data_directory;
  const auto opened = open_configuration(options.configuration, std::move(of_runtime));
  require_distinct_files(options.outputs.files(), files_read(options.configuration, opened));
  run_header header;
  header.command = "run";
  header.configuration = opened.file.raw;
  header.request = chosen_request(opened, options.selection);
  header.request.lockstep = options.lockstep;
  header.from = time_or_nothing("--from", options.selection.from);
  header.to = time_or_nothing("--to", options.selection.to);
  note_future_frame(*opened.target, header.request.frame, options.common);
  return run_portfolio(*opened.target, header, options.outputs, options.common, threads);
}

} // namespace

void add_run_command(CLI::App& program, action& chosen) {
  const auto options = std::make_shared<run_options>();
  auto& command = add_command(
      program, "run", "Backtest symbols x strategies as one portfolio",
      "  backtest run --config config.json\n"
      "  backtest run --config config.json --symbol BTCUSDT --strategy cross --threads 4\n"
      "  backtest run --config config.json --from 2024-02-01 --to 2024-02-29T23:59\n"
      "  backtest run --config config.json --events events.jsonl --trades trades.csv --json\n"
      "  backtest run --config config.json --html report.html\n"
      "  backtest run --config config.json --symbol BTCUSDT --data-dir data\n"
      "  backtest run --config config.json --plugin ./my_strategy.so --reports reports",
      options->common);
  add_configuration_options(command, options->configuration);
  add_selection_options(command, options->selection);
  add_data_directory(command, options->data_directory);
  add_threads_option(command, options->threads);
  add_lockstep_option(command, options->lockstep);
  add_output_options(command, options->outputs);
  command.add_option("--reports", options->outputs.reports, "Write markdown reports of each run")
      ->type_name("DIR");
  perform_when_chosen(command, chosen, options, &run);
}

} // namespace backtest::tools
