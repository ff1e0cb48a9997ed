#include "tools/commands.hpp"

#include <csignal>
#include <exception>

#include <fmt/format.h>

using namespace backtest;
using namespace backtest::tools;

namespace {

/// Help and version go to stdout, complaints to stderr.
int finish_parsing(const CLI::App& program, const CLI::ParseError& thrown) {
  if (thrown.get_exit_code() == 0)
    return program.exit(thrown) == 0 ? exit_done : exit_usage;
  // The parser complains about the command it misses, not about the word in its place.
  const auto unknown =
      program.get_subcommands().empty() ? program.remaining() : std::vector<std::string>{};
  print_problem(fmt::format("{}{}\nRun with --help for more information.", thrown.what(),
                            unknown.empty() ? "" : fmt::format(", got \"{}\"", unknown.front())));
  return exit_usage;
}

int run_program(int argc, char** argv) {
  CLI::App program{"Runs trading-signal strategies over one-minute candles: history, replay, live.",
                   "backtest"};
  program.set_version_flag("--version", "backtest " BACKTEST_VERSION, "Print the version and exit");
  program.require_subcommand(1);
  program.footer(
      "Examples:\n"
      "  backtest demo\n"
      "  backtest run --config config.json --events events.jsonl\n"
      "  backtest run --help\n"
      "\n"
      "Exit codes: 0 completed or stopped; 1 a run failed, or candles or files could not\n"
      "be read or written; 2 usage, configuration, unknown names, plugins.");
  action chosen;
  add_run_command(program, chosen);
  add_live_command(program, chosen);
  add_walk_command(program, chosen);
  add_parity_command(program, chosen);
  add_demo_command(program, chosen);
  add_status_command(program, chosen);
  add_tap_command(program, chosen);
  add_control_command(program, chosen);
  add_report_command(program, chosen);
  add_candles_command(program, chosen);
  add_check_command(program, chosen);
  add_list_command(program, chosen);
  add_plugin_command(program, chosen);
  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& thrown) {
    return finish_parsing(program, thrown);
  }
  return chosen();
}

} // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN); // a closed pipe is reported where it is written to
  try {
    return run_program(argc, argv);
  } catch (const failure& problem) {
    print_problem(problem.what());
    return exit_code_of(problem.code());
  } catch (const std::exception& problem) {
    print_problem(problem.what());
    return exit_failed;
  }
}
