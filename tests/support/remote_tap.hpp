#pragma once

#include "messages/own_actor_system.hpp"
#include "runtime/network.hpp"

#include <algorithm>
#include <chrono>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace backtest::testing {

/// Another process, as far as CAF is concerned: a system of its own, connected to a node.
class remote_side {
public:
  explicit remote_side(const node_address& address)
      : visit_(system_.get()), node_(connect_node(system_.get(), address)) {}

  caf::actor_system& system() noexcept { return system_.get(); }
  const node_actor& node() const noexcept { return node_; }

  /// Asks the node and waits.
  template <class Answer, class Message>
  Answer ask(Message message) {
    caf::scoped_actor self{system_.get()};
    Answer found;
    request(self, node_, std::chrono::seconds{30}, std::move(message))
        .receive([&](const Answer& answer) { found = answer; },
                 [](const caf::error& reason) { throw std::runtime_error(backtest::text_of(reason)); });
    return found;
  }

  /// Follows until `enough` says so, or the node says that it is over. Grants what it got.
  std::vector<journal_line>
  lines(tap_request wanted, const std::function<bool(const std::vector<journal_line>&)>& enough) {
    caf::scoped_actor self{system_.get()};
    const auto me = caf::actor_cast<tap_actor>(self.ptr());
    std::vector<journal_line> heard;
    std::optional<error> problem;
    request(self, node_, std::chrono::seconds{30}, follow_journal{me, std::move(wanted)})
        .receive([&](const journal_followed& answer) { problem = answer.problem; },
                 [](const caf::error& reason) { throw std::runtime_error(backtest::text_of(reason)); });
    bool is_over = false;
    while (!problem && !is_over && !enough(heard))
      self->receive(
          [&](const journal_batch& batch) {
            heard.insert(heard.end(), batch.lines.begin(), batch.lines.end());
            send(self, node_,
                 grant_credit{batch.id, std::max<std::int64_t>(std::ssize(batch.lines), 1)});
          },
          [&](const journal_ended& ended) {
            is_over = true;
            problem = ended.problem;
          });
    if (problem)
      throw failure(*problem);
    return heard;
  }

private:
  own_actor_system system_{1, prepare_network};
  calling_thread visit_;
  node_actor node_;
};

} // namespace backtest::testing
