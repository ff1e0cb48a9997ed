#include "messages/own_actor_system.hpp"
#include "runtime/network.hpp"
#include "tools/commands.hpp"
#include "tools/cut_reason.hpp"
#include "tools/node_flags.hpp"

#include <future>
#include <memory>

#include <fmt/format.h>

namespace backtest::tools {

namespace {

struct control_options {
  common_options common;
  std::string connect;
  node_security security;
  std::string command;
  std::string symbol;
  std::string strategy;
};

/// Gives one command to a node, and hears the answer or that there will be none.
using operator_actor = typed_interface<caf::result<void>(run_controlled)>;
using heard_answer = std::shared_ptr<std::promise<run_controlled>>;

struct operator_state {
  self_pointer<operator_actor, operator_state> self = nullptr;
  node_actor node;
  heard_answer heard;

  void init(node_actor told, const control_run& order, heard_answer to, const cut_reason& cut) {
    node = std::move(told);
    heard = std::move(to);
    const auto no_answer = [](const std::string& why) {
      return run_controlled{error{
          error_code::connection_failed,
          "no answer, the command may have taken effect or not (backtest status tells): " + why}};
    };
    // A node that goes away leaves its questions open.
    on_exit(node, [no_answer, cut, me = weak_handle<operator_actor>{operator_actor{self}}](
                      const caf::error& reason) {
      if (auto strong = me.lock())
        send_anonymously(strong,
                         no_answer("the connection was lost, " + text_of(reason) + cut.told()));
    });
    request(self, node, caf::infinite, order)
        .then(
            [this](const run_controlled& answer) { end_with(answer); },
            [this, no_answer](const caf::error& reason) { end_with(no_answer(text_of(reason))); });
  }

  operator_actor::behavior_type make_behavior() {
    return {[this](const run_controlled& answer) { end_with(answer); }};
  }

  void end_with(const run_controlled& answer) {
    if (auto to = std::exchange(heard, nullptr))
      to->set_value(answer);
    self->quit();
  }
};

std::string_view told(operator_command command) {
  switch (command) {
  case operator_command::pause: return "paused: no new signals of";
  case operator_command::resume: return "resumed: signals of";
  case operator_command::cancel: return "cancelled: the scheduled signal of";
  case operator_command::close: return "closed: the pending signal of";
  }
  return "done:";
}

int control(const control_options& options) {
  const auto command = *parse_operator_command(options.command);
  const auto address = address_of("--connect", options.connect);
  require_usable(options.security, "--connect", true);
  own_actor_system system{1, prepare_network};
  const calling_thread visit{system.get()};
  const cut_reason cut;
  constexpr std::chrono::seconds usual_patience{10};
  const auto heard = std::make_shared<std::promise<run_controlled>>();
  auto answer = heard->get_future();
  spawn_actor<operator_state, operator_actor>(
      system.get(), nullptr,
      connect_node(system.get(), address, options.security, usual_patience, cut.writer()),
      control_run{options.strategy, options.symbol, command}, heard, cut);
  if (!options.common.quiet)
    print_note("backtest: told the node; waiting for its next instant\n");
  if (const auto problem = answer.get().problem) {
    print_problem(
        fmt::format("{} on {}: {}", options.command, to_string(address), problem->message));
    return exit_failed;
  }
  print_result(fmt::format("{} {} on {}\n", told(command), options.strategy, options.symbol));
  return exit_done;
}

} // namespace

void add_control_command(CLI::App& program, action& chosen) {
  const auto options = std::make_shared<control_options>();
  auto& command = add_command(
      program, "control", "Give a command to a strategy that runs live, and wait until it holds",
      "  backtest control --connect 127.0.0.1:4711 pause --symbol BTCUSDT --strategy cross\n"
      "  backtest control --connect 127.0.0.1:4711 close --symbol BTCUSDT --strategy cross\n"
      "pause: no new signals until resume; what is open is followed to its end. Refused when it "
      "is\n"
      "paused already, as resume is when it is not.\n"
      "cancel: the scheduled signal. close: the pending signal, at the current price (reason "
      "user).\n"
      "It takes effect at the node's next instant and is answered once it is durable, with an "
      "event\n"
      "on the topic control. Exit codes: 0 done, 1 refused or not reached, 2 usage.",
      options->common);
  command.add_option("command", options->command, "pause, resume, cancel or close")
      ->required()
      ->check(CLI::IsMember({"pause", "resume", "cancel", "close"}))
      ->type_name("COMMAND");
  command.add_option("--connect", options->connect, "A node that runs with --publish")
      ->required()
      ->type_name("HOST:PORT");
  add_security(command, options->security, true);
  command.add_option("--symbol", options->symbol, "Symbol of the run")->required()->type_name("S");
  command.add_option("--strategy", options->strategy, "Strategy of the run")
      ->required()
      ->type_name("N");
  perform_when_chosen(command, chosen, options, &control);
}

} // namespace backtest::tools
