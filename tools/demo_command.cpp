#include "runtime/configuration_file.hpp"
#include "tools/commands.hpp"
#include "tools/portfolio_session.hpp"
#include "tools/report_files.hpp"
#include "tools/selection.hpp"

#include <memory>

#include <fmt/format.h>

namespace backtest::tools {

namespace {

constexpr std::string_view demo_configuration = R"({
  "config": { "percent_fee": 0.04, "percent_slippage": 0.02 },
  "exchanges": [
    { "name": "demo", "type": "synthetic", "seed": 7, "volatility": 0.9, "start_price": 40000,
      "symbols": ["AAAUSDT", "BBBUSDT", "CCCUSDT"] }
  ],
  "frames": [
    { "name": "march", "interval": "1m",
      "start": "2024-03-01T00:00:00Z", "end": "2024-03-31T23:59:00Z" }
  ],
  "risks": [
    { "name": "cap5",
      "rules": [ { "type": "max_positions", "limit": 5, "note": "at most five positions" } ] }
  ],
  "strategies": [
    { "name": "cross", "type": "sma_cross", "interval": "1h", "risk_name": "cap5",
      "params": { "window": 60, "fast": 10, "slow": 50, "take_profit": 0.06, "stop_loss": 0.03,
                  "minutes": 1440 } },
    { "name": "pullback", "type": "pullback_limit", "interval": "1h", "risk_name": "cap5",
      "params": { "threshold": 0.02, "offset": 0.005, "take_profit": 0.04, "stop_loss": 0.02,
                  "minutes": 1440 } },
    { "name": "grid", "type": "time_grid", "risk_name": "cap5",
      "params": { "take_profit": 0.02, "stop_loss": 0.01 } }
  ]
})";

struct demo_options {
  common_options common;
  output_options outputs;
  std::size_t threads = 0;
};

int demonstrate(const demo_options& options) {
  auto outputs = options.outputs;
  if (outputs.html.empty())
    outputs.html = outputs.reports / "report.html";
  require_distinct_files(outputs.files(), {});
  const auto threads = thread_count(options.threads);
  auto of_runtime = options_of(options.common, threads);
  of_runtime.reports = reports_kept_for(options.outputs.reports);
  runtime target{std::move(of_runtime)};
  const auto loaded = parse_configuration(demo_configuration, ".", "demo", target.types());
  target.set_config(loaded.parameters);
  target.add(loaded.schemas);
  run_header header;
  header.command = "demo";
  header.configuration = loaded.raw;
  header.request = {
      {"AAAUSDT", "BBBUSDT", "CCCUSDT"}, {"cross", "grid", "pullback"}, "demo", "march"};
  const bool talks =
      !options.common.quiet && !outputs.json && !outputs.stdout_is_taken();
  if (talks)
    print_result("Three strategies on three made-up markets, March 2024, one minute\n"
                 "at a time: `cross` follows crossing averages, `grid` trades by the hour,\n"
                 "`pullback` waits for a better price with limit entries. Together they may hold\n"
                 "at most five positions; the rest is refused. The data are random: expect to\n"
                 "lose the costs of trading.\n\n");
  const int status = run_portfolio(target, header, outputs, options.common, threads);
  if (talks && status == exit_done)
    print_result(
        fmt::format("\nCharts, in any browser: {}\nReports: {}/*.md. The configuration of a run of "
                    "your own looks like this one:\n\n{}\n\nThen: backtest run --config config.json "
                    "--html report.html\n",
                    outputs.html.string(), outputs.reports.string(), demo_configuration));
  return status;
}

} // namespace

void add_demo_command(CLI::App& program, action& chosen) {
  const auto options = std::make_shared<demo_options>();
  options->outputs.reports = "backtest-demo";
  auto& command =
      add_command(program, "demo", "A complete run on made-up data: needs no file and no network",
                  "  backtest demo\n"
                  "  backtest demo --out /tmp/demo --events /tmp/demo/events.jsonl",
                  options->common);
  command.add_option("--out,--reports", options->outputs.reports, "Directory of the reports")
      ->type_name("DIR")
      ->capture_default_str();
  add_threads_option(command, options->threads);
  add_output_options(command, options->outputs);
  perform_when_chosen(command, chosen, options, &demonstrate);
}

} // namespace backtest::tools
