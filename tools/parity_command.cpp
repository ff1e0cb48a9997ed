#include "runtime/parity.hpp"
#include "tools/commands.hpp"
#include "tools/portfolio_session.hpp"
#include "tools/selection.hpp"

#include <memory>

#include <fmt/format.h>

namespace backtest::tools {

namespace {

struct parity_options {
  common_options common;
  configuration_options configuration;
  selection_options selection;
  std::size_t threads = 0;
};

int compare(const parity_options& options) {
  runtime_options of_runtime;
  of_runtime.threads = thread_count(options.threads);
  of_runtime.log = make_logger(options.common);
  const auto opened = open_configuration(options.configuration, std::move(of_runtime));
  const auto result =
      compare_drivers(*opened.target, chosen_request(opened, options.selection));
  if (result.difference) {
    print_result(fmt::format("first difference after {} equal events, {}\n", result.compared,
                             *result.difference));
    return exit_failed;
  }
  print_result(fmt::format("no difference: {} events are equal\n", result.compared));
  return exit_done;
}

} // namespace

void add_parity_command(CLI::App& program, action& chosen) {
  const auto options = std::make_shared<parity_options>();
  auto& command = add_command(
      program, "parity", "Run through the backtest and the live driver, and compare",
      "  backtest parity --config config.json\n"
      "  backtest parity --config config.json --symbol BTCUSDT --strategy cross --frame q1",
      options->common);
  add_configuration_options(command, options->configuration);
  add_selection_options(command, options->selection);
  command
      .add_option("--threads", options->threads, "Threads (default: as many as the machine has)")
      ->check(CLI::Range(1, 1024))
      ->type_name("K");
  perform_when_chosen(command, chosen, options, &compare);
}

} // namespace backtest::tools
