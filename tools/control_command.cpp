#include "messages/own_actor_system.hpp"
#include "runtime/command_answer.hpp"
#include "runtime/network.hpp"
#include "tools/commands.hpp"
#include "tools/cut_reason.hpp"
#include "tools/node_flags.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <future>
#include <memory>
#include <random>
#include <thread>

#include <fmt/format.h>

namespace backtest::tools {

namespace {

using std::chrono::milliseconds;

/// After that long without an answer the node is asked again, on another connection.
constexpr milliseconds longest_silence = std::chrono::seconds{10};
/// Before a node that could not be reached is tried again.
constexpr milliseconds pause_between = std::chrono::seconds{1};
/// For the last question, what became of the command.
constexpr milliseconds last_patience = std::chrono::seconds{3};

struct control_options {
  common_options common;
  std::string connect;
  node_security security;
  std::string command;
  std::string symbol;
  std::string strategy;
  double timeout_seconds = 90;
};

/// Gives one command to a node, and hears the answer or that there will be none.
using operator_actor = typed_interface<caf::result<void>(run_controlled)>;
using heard_answer = std::shared_ptr<std::promise<node_answer>>;

struct operator_state {
  self_pointer<operator_actor, operator_state> self = nullptr;
  node_actor node;
  heard_answer heard;

  void init(node_actor told, const control_run& order, milliseconds patience, heard_answer to,
            const cut_reason& cut) {
    node = std::move(told);
    heard = std::move(to);
    // A node that goes away leaves its questions open.
    on_exit(node, [cut, me = weak_handle<operator_actor>{operator_actor{self}}](
                      const caf::error& reason) {
      if (auto strong = me.lock())
        send_anonymously(strong, run_controlled{error{error_code::connection_failed,
                                                      "the connection was lost, " +
                                                          text_of(reason) + cut.told()}});
    });
    request(self, node, patience, order)
        .then(
            [this](const run_controlled& answer) {
              end_with({answer, {}});
            },
            [this, patience](const caf::error& reason) {
              end_with({std::nullopt, reason == caf::sec::request_timeout
                                          ? fmt::format("silent for {} s", patience.count() / 1000)
                                          : text_of(reason)});
            });
  }

  operator_actor::behavior_type make_behavior() {
    return {[this](const run_controlled& lost) {
      end_with({std::nullopt, lost.problem ? lost.problem->message : ""});
    }};
  }

  void end_with(const node_answer& answer) {
    if (auto to = std::exchange(heard, nullptr))
      to->set_value(answer);
    self->quit();
  }
};

/// Blocks for `patience` at most. Throws `failure{connection_failed}` when the node cannot be
/// reached.
node_answer ask_node(const node_address& address, const node_security& security,
                     const control_run& order, milliseconds patience) {
  // A system of its own, and so a connection: that of an earlier question may be what failed.
  own_actor_system system{1, prepare_network};
  const calling_thread visit{system.get()};
  const cut_reason cut;
  const auto heard = std::make_shared<std::promise<node_answer>>();
  auto answer = heard->get_future();
  spawn_actor<operator_state, operator_actor>(
      system.get(), nullptr, connect_node(system.get(), address, security, patience, cut.writer()),
      order, patience, heard, cut);
  return answer.get();
}

std::string random_id() {
  std::random_device source;
  std::string id;
  for (int part = 0; part < 4; ++part)
    id += fmt::format("{:08x}", source());
  return id;
}

std::string_view told(operator_command command) {
  switch (command) {
  case operator_command::pause: return "paused: no new signals of";
  case operator_command::resume: return "resumed: signals of";
  case operator_command::cancel: return "cancelled: the scheduled signal of";
  case operator_command::close: return "closed: the pending signal of";
  }
  return "done:";
}

/// Asks until there is an answer, or the time is over and what is known is said instead.
class patient_operator {
public:
  patient_operator(const control_options& options, control_run order)
      : address_(address_of("--connect", options.connect)), security_(options.security),
        order_(std::move(order)), timeout_(std::llround(options.timeout_seconds * 1000)),
        is_quiet_(options.common.quiet) {}

  const node_address& address() const noexcept { return address_; }

  /// Throws `failure{connection_failed}` when the node cannot be reached at first.
  node_answer give() {
    auto last = ask(left());
    if (last.answer)
      return last;
    while (left() > pause_between) {
      note(fmt::format("backtest: no answer yet ({}); asking the node again\n", last.why));
      try {
        last = ask(left());
        if (last.answer)
          return last;
      } catch (const failure& caught) {
        last.why = caught.what();
        std::this_thread::sleep_for(std::min(pause_between, left()));
      }
    }
    order_.only_asks = true;
    try {
      auto known = ask(last_patience);
      if (known.answer)
        return known;
    } catch (const failure& caught) {
      last.why = caught.what();
    }
    return last;
  }

private:
  milliseconds passed() const {
    return std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - began_);
  }
  milliseconds left() const { return timeout_ - passed(); }

  node_answer ask(milliseconds patience) {
    // From the beginning on, so never less than it is; 0 is for a command that was not asked
    // before.
    order_.asked_ms_ago = std::exchange(was_asked_, true) ? std::max(passed().count(), 1L) : 0;
    return ask_node(address_, security_, order_,
                    std::clamp<milliseconds>(patience, milliseconds{1}, longest_silence));
  }

  void note(const std::string& text) const {
    if (!is_quiet_)
      print_note(text);
  }

  node_address address_;
  node_security security_;
  control_run order_;
  milliseconds timeout_;
  bool is_quiet_;
  bool was_asked_ = false;
  const std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
};

int control(const control_options& options) {
  const auto command = *parse_operator_command(options.command);
  require_usable(options.security, "--connect", true);
  control_run order{options.strategy, options.symbol, command};
  order.id = random_id();
  patient_operator person{options, std::move(order)};
  if (!options.common.quiet)
    print_note("backtest: telling the node, and waiting for its next instant\n");
  if (const auto problem = problem_of_command(person.give(), options.timeout_seconds)) {
    print_problem(
        fmt::format("{} on {}: {}", options.command, to_string(person.address()), *problem));
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
      "on the topic control. Without an answer for 10 s the node is asked again, on a new "
      "connection;\n"
      "it carries the command out once. After --timeout the command says what is known of it.\n"
      "Exit codes: 0 done, 1 refused, not reached or not answered, 2 usage.",
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
  constexpr double longest = 86'400;
  command
      .add_option("--timeout", options->timeout_seconds, "Longest wait for the answer (default 90)")
      ->check(CLI::Range(1.0, longest))
      ->type_name("SECONDS");
  perform_when_chosen(command, chosen, options, &control);
}

} // namespace backtest::tools
