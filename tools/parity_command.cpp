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
  const auto opened = open_configuration(
      options.configuration, options_of(options.common, thread_count(options.threads)));
  const auto request = chosen_request(opened, options.selection);
  note_future_frame(*opened.target, request.frame, options.common);
  const auto result = compare_drivers(*opened.target, request);
  if (result.difference) {
    print_result(fmt::format("first difference after {} equal events, {}\n", result.compared,
                             *result.difference));
    return exit_failed;
  }
  print_result(fmt::format("no difference: {} events are equal\n", result.compared));
  print_failed_runs(result.failed);
  return result.failed.empty() ? exit_done : exit_failed;
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
  add_threads_option(command, options->threads);
  perform_when_chosen(command, chosen, options, &compare);
}

} // namespace backtest::tools
