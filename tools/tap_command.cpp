#include "tools/commands.hpp"
#include "tools/directory_tap.hpp"
#include "tools/interruption.hpp"
#include "tools/node_flags.hpp"
#include "tools/node_tap.hpp"

#include <memory>

#include <fmt/format.h>

namespace backtest::tools {

namespace {

struct tap_options {
  common_options common;
  std::string connect;
  node_security security;
  std::filesystem::path data_directory;
  std::vector<std::string> topics;
  journal_filter wanted;
  std::optional<std::int64_t> from;
  std::string cursor;
  bool follow = false;
  std::chrono::milliseconds patience = usual_follower_patience;
};

tap_request request_of(const tap_options& options) {
  tap_request request;
  request.wanted = options.wanted;
  for (const auto& name : options.topics)
    request.wanted.topics.push_back(journalled_topic(name));
  request.from = options.from;
  request.ends = !options.follow;
  return request;
}

int tap(const tap_options& options) {
  auto request = request_of(options);
  if (options.connect.empty() == options.data_directory.empty())
    throw failure(error_code::invalid_argument,
                  "tap: expected either --connect HOST:PORT or --data-dir DIR");
  const auto address =
      options.connect.empty() ? node_address{} : address_of("--connect", options.connect);
  require_usable(options.security, "--connect", !options.connect.empty());
  interruption interrupted;
  tap_output output{options.cursor, interrupted.token()};
  request.from = output.first(request.from);
  if (options.connect.empty())
    tap_directory(options.data_directory, request, options.patience, output);
  else
    tap_node(address, options.security, request, output, [&](const std::string& text) {
      if (!options.common.quiet)
        print_problem(text);
    });
  return exit_done;
}

} // namespace

void add_tap_command(CLI::App& program, action& chosen) {
  const auto options = std::make_shared<tap_options>();
  auto& command = add_command(
      program, "tap", "Print the events of a live node as JSON lines, by number",
      "  backtest tap --data-dir data\n"
      "  backtest tap --data-dir data --follow --topic signal_live --symbol BTCUSDT\n"
      "  backtest tap --connect 127.0.0.1:4711 --follow --cursor desk | consumer\n"
      "Lines begin with --from, by default the first number kept, and end with the journal as it "
      "is\n"
      "now; with --follow they go on, also after the node was started again. --cursor NAME keeps "
      "the\n"
      "number to go on with in ~/.local/state/backtest/cursors (or below $XDG_STATE_HOME), "
      "written\n"
      "after the lines: a tap that is killed in between prints some of them again. Topics with\n"
      "numbers: " +
          journalled_topic_names() + ".\n" +
          "signal stands for signal_live.\n"
          "Exit codes: 0 at the end, stopped, or nobody reads any more; 1 the node cannot be "
          "reached,\n"
          "or numbers are no longer kept (journal_truncated); 2 usage.",
      options->common);
  command.add_option("--connect", options->connect, "A node that runs with --publish")
      ->type_name("HOST:PORT");
  add_security(command, options->security, true);
  command
      .add_option("--data-dir", options->data_directory, "Directory of a live node, running or not")
      ->type_name("DIR");
  command.add_option("--topic", options->topics, "Only this topic (repeatable)")
      ->allow_extra_args(false)
      ->type_name("T");
  command.add_option("--symbol", options->wanted.symbols, "Only this symbol (repeatable)")
      ->allow_extra_args(false)
      ->type_name("S");
  command.add_option("--strategy", options->wanted.strategies, "Only this strategy (repeatable)")
      ->allow_extra_args(false)
      ->type_name("N");
  command.add_option("--from", options->from, "First number, unless the cursor has one")
      ->check(CLI::Range(std::int64_t{1}, INT64_MAX))
      ->type_name("SEQ");
  command.add_option("--cursor", options->cursor, "Remember where it stands under this name")
      ->type_name("NAME");
  command.add_flag("--follow", options->follow, "Go on with what comes");
  add_patience(command, options->patience);
  perform_when_chosen(command, chosen, options, &tap);
}

} // namespace backtest::tools
