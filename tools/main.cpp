#include "messages/process_limits.hpp"
#include "tools/commands.hpp"

#include <csignal>
#include <cstdlib>
#include <exception>
#include <new>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

using namespace backtest;
using namespace backtest::tools;

namespace {

/// A stream that is closed would give its number to the next file that is opened, and what is
/// printed would end up there. stdout still refuses what is written to it.
void occupy_standard_streams() {
  for (const int number : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (::fcntl(number, F_GETFD) == -1)
      ::open("/dev/null", number == STDERR_FILENO ? O_WRONLY : O_RDONLY);
}

/// What is thrown where nothing can catch it: nothing is unwound, as that may need what there is
/// not.
[[noreturn]] void end_with_a_sentence() {
  std::string_view why = "a thread or memory is missing";
  try {
    if (const auto thrown = std::current_exception())
      std::rethrow_exception(thrown);
  } catch (const std::exception& caught) {
    why = caught.what();
  } catch (...) {
  }
  const auto write_out = [](std::string_view text) {
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text.data(), text.size());
  };
  write_out("backtest: cannot go on: ");
  write_out(why);
  write_out("; expected more memory (ulimit -v), threads (ulimit -u) or open files (ulimit -n)\n");
  std::_Exit(exit_failed);
}

/// An actor that cannot allocate would die alone, and what waits for it would wait for ever. What
/// is durable is safe: this is as good as a kill.
[[noreturn]] void end_without_memory() {
  constexpr std::string_view text =
      "backtest: too little memory to go on; expected more (ulimit -v, or what the machine has)\n";
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text.data(), text.size());
  std::_Exit(exit_failed);
}

/// The allocator takes 64 MB of addresses for each of several threads, used or not. Where those are
/// limited they are for the stacks of threads: one that cannot start leaves others waiting for it.
void save_limited_memory() {
#ifdef __GLIBC__
  rlimit memory{};
  if (::getrlimit(RLIMIT_AS, &memory) == 0 && memory.rlim_cur != RLIM_INFINITY)
    ::mallopt(M_ARENA_MAX, 1);
#endif
}

std::string with_limits(std::string_view problem) {
  const auto limits = describe_process_limits();
  return fmt::format("{}: {}", problem,
                     limits.empty() ? "the machine has no more"
                                    : "this process may have " + limits);
}

/// The parser would take the next flag for the value that is not there.
void require_values(std::span<char* const> arguments) {
  for (const std::string_view word : arguments)
    if (word.starts_with("--") && word.size() > 2 && word.find('=') == word.size() - 1)
      throw failure(error_code::invalid_argument,
                    fmt::format("{}: expected a value behind it", word));
}

/// The command the words lead to; the program itself when they name none.
const CLI::App& command_reached(const CLI::App& program) {
  const auto* at = &program;
  while (!at->get_subcommands().empty())
    at = at->get_subcommands().front();
  return *at;
}

std::string complaint(const CLI::App& program, const CLI::ParseError& thrown) {
  const auto& reached = command_reached(program);
  const auto commands = reached.get_subcommands({});
  if (commands.empty() || thrown.get_name() != "RequiredError")
    return thrown.what();
  // The parser complains about the command it misses, not about the word in its place.
  std::vector<std::string> known;
  for (const auto* command : commands)
    known.push_back(command->get_name());
  const auto unknown = reached.remaining();
  return fmt::format("{}{}; expected one of {}", thrown.what(),
                     unknown.empty() ? "" : fmt::format(", got \"{}\"", unknown.front()),
                     comma_list(known));
}

/// Help and version go to stdout, complaints to stderr.
int finish_parsing(const CLI::App& program, const CLI::ParseError& thrown) {
  if (thrown.get_exit_code() == 0) {
    std::ostringstream text;
    program.exit(thrown, text, text);
    print_result(text.str());
    return exit_done;
  }
  print_problem(
      fmt::format("{}\nRun with --help for more information.", complaint(program, thrown)));
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
  add_repair_command(program, chosen);
  add_report_command(program, chosen);
  add_candles_command(program, chosen);
  add_check_command(program, chosen);
  add_list_command(program, chosen);
  add_plugin_command(program, chosen);
  require_values({argv, static_cast<std::size_t>(argc)});
  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& thrown) {
    return finish_parsing(program, thrown);
  }
  return chosen();
}

} // namespace

int main(int argc, char** argv) {
  std::set_terminate(&end_with_a_sentence);
  std::set_new_handler(&end_without_memory);
  save_limited_memory();
  occupy_standard_streams();
  std::signal(SIGPIPE, SIG_IGN); // a closed pipe is reported where it is written to
  try {
    return run_program(argc, argv);
  } catch (const failure& problem) {
    print_problem(problem.what());
    return exit_code_of(problem.code());
  } catch (const std::system_error& problem) {
    print_problem(with_limits(problem.what()));
    return exit_failed;
  } catch (const std::exception& problem) {
    print_problem(problem.what());
    return exit_failed;
  }
}
