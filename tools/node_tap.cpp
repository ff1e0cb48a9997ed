#include "tools/node_tap.hpp"

#include "messages/own_actor_system.hpp"
#include "runtime/network.hpp"
#include "tools/cut_reason.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace backtest::tools {

namespace {

constexpr std::int64_t window = 4 * journal_tap::most_lines;
constexpr std::chrono::seconds patience{10};

/// One connection to a node, from the thread that prints.
class connection {
public:
  connection(caf::actor_system& system, const node_address& address, const node_security& security)
      : address_(address), node_(connect_node(system, address, security, patience, cut_.writer())),
        self_(system) {
    on_exit(node_, [me = weak_handle<tap_actor>{receiver()}](const caf::error&) {
      if (auto strong = me.lock())
        send_anonymously(strong, journal_ended{0, 0, error{error_code::connection_failed, ""}});
    });
  }

  /// Prints from `request.from` on, which goes along. Nothing: the end that was asked for, or
  /// nothing more is wanted.
  std::optional<error> print_to(tap_output& output, tap_request& request) {
    const std::stop_callback stop{output.stop(),
                                  [me = receiver()] { send_anonymously(me, journal_ended{}); }};
    journal_followed followed;
    request.credit = window;
    ::backtest::request(self_, node_, patience, follow_journal{receiver(), request})
        .receive([&](const journal_followed& answer) { followed = answer; },
                 [&](const caf::error& reason) { followed.problem = lost(reason, request); });
    if (followed.problem)
      return followed.problem;
    std::optional<error> problem;
    bool goes_on = true;
    while (goes_on && !output.is_done())
      self_->receive(
          [&](const journal_batch& batch) {
            output.print({batch.lines, batch.next});
            request.from = batch.next;
            send(self_, node_,
                 grant_credit{batch.id, std::max<std::int64_t>(std::ssize(batch.lines), 1)});
          },
          [&](const journal_ended& ended) {
            goes_on = false;
            problem = ended.problem;
            if (problem && problem->code == error_code::connection_failed)
              problem = lost({}, request);
          },
          caf::after(std::chrono::seconds{1}) >> [] {}); // has the reader gone?
    return problem;
  }

private:
  tap_actor receiver() { return caf::actor_cast<tap_actor>(self_.ptr()); }

  error lost(const caf::error& reason, const tap_request& request) const {
    return {error_code::connection_failed,
            fmt::format("the connection to {} was lost {}{}{}", to_string(address_),
                        request.from ? fmt::format("before number {}", *request.from)
                                     : std::string{"before the first number"},
                        cut_.told(), reason ? ": " + text_of(reason) : "")};
  }

  node_address address_;
  cut_reason cut_;
  node_actor node_;
  caf::scoped_actor self_;
};

/// What a node that is started again gets over.
bool may_pass(error_code code) {
  return code == error_code::connection_failed || code == error_code::store_failed;
}

} // namespace

void tap_node(const node_address& address, const node_security& security, tap_request request,
              tap_output& output, const std::function<void(const std::string&)>& note) {
  constexpr std::chrono::milliseconds shortest{100};
  constexpr std::chrono::milliseconds longest{5000};
  own_actor_system system{1, prepare_network};
  const calling_thread visit{system.get()};
  auto pause = shortest;
  bool was_there = false;
  std::string noted;
  while (!output.is_done()) {
    std::optional<error> problem;
    const auto before = request.from;
    try {
      connection node{system.get(), address, security};
      was_there = true;
      problem = node.print_to(output, request);
    } catch (const failure& thrown) {
      if (thrown.code() != error_code::connection_failed || !was_there)
        throw;
      problem = thrown.reason();
    }
    if (!problem)
      return;
    if (request.ends || !may_pass(problem->code))
      throw failure(*problem);
    if (std::exchange(noted, problem->message) != problem->message)
      note(problem->message + "; trying again");
    if (request.from != before)
      pause = shortest;
    output.wait_for(pause);
    pause = std::min(2 * pause, longest);
  }
}

} // namespace backtest::tools
