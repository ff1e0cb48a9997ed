#pragma once

#include "actors/contracts.hpp"
#include "messages/logger.hpp"

#include <atomic>
#include <functional>
#include <memory>

namespace backtest {

/// Called for one event at a time, in order.
using event_callback = std::function<void(const event&)>;
using event_predicate = std::function<bool(const event&)>;

/// Lets callbacks begin until it is closed; a callback that runs may finish. Thread-safe.
class listener_gate {
public:
  /// False once closed: the callback must not begin.
  bool enter() noexcept {
    int expected = open_state;
    return state_.compare_exchange_strong(expected, running_state);
  }
  void leave() noexcept {
    int expected = running_state;
    state_.compare_exchange_strong(expected, open_state);
  }
  void close() noexcept { state_.store(closed_state); }
  /// Of a callback that runs: closes the gate; false when somebody else did so meanwhile.
  bool close_behind() noexcept {
    int expected = running_state;
    return state_.compare_exchange_strong(expected, closed_state);
  }
  bool is_closed() const noexcept { return state_.load() == closed_state; }

private:
  static constexpr int open_state = 0, running_state = 1, closed_state = 2;
  std::atomic<int> state_{open_state};
};

/// What a listener is made of. With a predicate it hears its first match only.
struct listener_setup {
  event_callback callback;
  event_predicate once_when; ///< empty: every event
  std::shared_ptr<listener_gate> gate;
  topics_actor topics;
  shared_logger log;
};

/// A subscriber that calls a user's function, on a thread of its own: however long it takes, it
/// holds nobody else up. What it throws goes to the topic `error`, or only to the log when it
/// listens to `error` or `exit` itself.
subscriber_actor spawn_listener(caf::actor_system& system, const shared_census& census,
                                listener_setup setup);

/// A subscriber that writes errors to the log; quick, so it shares the scheduler's threads.
subscriber_actor spawn_error_log(caf::actor_system& system, const shared_census& census,
                                 shared_logger log);

} // namespace backtest
