#pragma once

#include "actors/contracts.hpp"
#include "messages/logger.hpp"

#include <functional>
#include <memory>
#include <optional>

namespace backtest {

/// Called for one event at a time, in order.
using event_callback = std::function<void(const event&)>;
using event_predicate = std::function<bool(const event&)>;

/// What a listener is made of. With a predicate it hears its first match only.
struct listener_setup {
  event_callback callback;
  std::optional<event_predicate> once_when; ///< nothing: every event
  std::shared_ptr<listener_gate> gate;
  topics_actor topics;
  shared_logger log;
};

/// A subscriber that calls a user's function, on a thread of its own: however long it takes, it
/// holds nobody else up, and whoever ends the listener does not wait for a call that runs; the gate
/// does, on demand. What it throws goes to the topic `error`, or only to the log when it listens to
/// `error` or `exit` itself. Throws `std::system_error` when there can be no thread.
subscriber_actor spawn_listener(caf::actor_system& system, const shared_census& census,
                                listener_setup setup);

/// A subscriber that writes errors to the log; quick, so it shares the scheduler's threads.
subscriber_actor spawn_error_log(caf::actor_system& system, const shared_census& census,
                                 shared_logger log);

} // namespace backtest
