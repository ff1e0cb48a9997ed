// Prints the journal of a live node from another process, and goes on where it was when the node is
// started again:
//   tap HOST:PORT [FIRST_NUMBER]
#include "messages/own_actor_system.hpp"
#include "runtime/network.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>

#include <fmt/format.h>

namespace {

/// Until the node goes away. `next` is the number to go on from.
void follow(caf::actor_system& system, const backtest::node_address& address, std::int64_t& next) {
  const auto node = backtest::connect_node(system, address);
  caf::scoped_actor self{system};
  self->monitor(node); // tells by a message that the node, or the connection to it, is gone

  backtest::tap_request wanted;
  wanted.from = next;
  wanted.credit = 1000; // lines that may be on their way
  bool is_there = true;
  backtest::request(
      self, node, std::chrono::seconds{10},
      backtest::follow_journal{caf::actor_cast<backtest::tap_actor>(self.ptr()), wanted})
      .receive(
          [](const backtest::journal_followed& answer) {
            if (answer.problem)
              throw backtest::failure(*answer.problem);
          },
          [&](const caf::error&) { is_there = false; });
  while (is_there)
    self->receive(
        [&](const backtest::journal_batch& batch) {
          for (const auto& line : batch.lines)
            fmt::print("{}\n", line.text);
          std::fflush(stdout);
          next = batch.next; // a program that must miss nothing makes it durable here
          const auto done_with = static_cast<std::int64_t>(batch.lines.size());
          backtest::send(self, node,
                         backtest::grant_credit{batch.id, std::max<std::int64_t>(done_with, 1)});
        },
        [](const backtest::journal_ended& ended) {
          if (ended.problem)
            throw backtest::failure(*ended.problem);
        },
        [&](const caf::down_msg&) { is_there = false; });
}

} // namespace

int main(int count, char** arguments) {
  const auto address = backtest::parse_node_address(count > 1 ? arguments[1] : "");
  if (!address) {
    fmt::print(stderr, "usage: tap HOST:PORT [FIRST_NUMBER]\n");
    return 2;
  }
  std::int64_t next = count > 2 ? std::strtoll(arguments[2], nullptr, 10) : 1;
  constexpr std::chrono::milliseconds shortest{100};
  constexpr std::chrono::milliseconds longest{5000};
  backtest::own_actor_system system{1, backtest::prepare_network};
  for (auto pause = shortest;; pause = std::min(2 * pause, longest)) {
    try {
      const auto before = next;
      follow(system.get(), *address, next);
      fmt::print(stderr, "the node is gone, trying again from number {}\n", next);
      if (next != before)
        pause = shortest;
    } catch (const backtest::failure& problem) {
      fmt::print(stderr, "{}\n", problem.what());
      // What else a node refuses it refuses again; `journal_truncated` names the first number kept.
      if (problem.code() != backtest::error_code::connection_failed &&
          problem.code() != backtest::error_code::store_failed)
        return 1;
    }
    std::this_thread::sleep_for(pause);
  }
}
