#include "runtime/listener.hpp"

namespace backtest {

namespace {

/// A logger may throw; nothing that happens is worth a second failure.
void write_safely(const shared_logger& log, log_level level, std::string_view topic,
                  std::string_view payload, const log_context& context) noexcept {
  try {
    if (log && log->enabled(level))
      log->write(level, topic, payload, context);
  } catch (...) { // NOLINT: documented, loggers' own failures are dropped
  }
}

struct listener_state {
  self_pointer<subscriber_actor, listener_state> self = nullptr;
  listener_setup setup;
  weak_handle<topics_actor> topics;

  void init(listener_setup given) {
    setup = std::move(given);
    topics = weak_handle<topics_actor>{setup.topics};
    setup.topics = topics_actor{};
  }

  subscriber_actor::behavior_type make_behavior() {
    return {[this](const event_batch& batch) {
      for (const auto& item : batch.events) {
        if (!setup.gate->enter())
          break;
        hear(item);
        setup.gate->leave();
      }
      return batch_done{};
    }};
  }

  void hear(const event& item) {
    if (!setup.once_when)
      return guarded(item, setup.callback);
    bool matches = false;
    guarded(item, [&](const event& x) { matches = setup.once_when(x); });
    if (!matches)
      return;
    if (setup.gate->close_behind()) // removed first, called then
      guarded(item, setup.callback);
    self->quit();
  }

  template <class Function> void guarded(const event& item, Function&& function) {
    try {
      function(item);
    } catch (const std::exception& caught) {
      complain(item, caught.what());
    } catch (...) {
      complain(item, "something that is not a std::exception");
    }
  }

  /// It is the listener's error and none of the run's: it is not in the journal, and the run may be
  /// over and its errors told.
  void complain(const event& item, std::string_view what) {
    auto message =
        "a listener of " + std::string{to_string(item.on)} + " threw: " + std::string{what};
    if (const auto& run = identity_of(item))
      message += " (at an event of " + run->strategy_name + " on " + run->symbol + ")";
    if (item.on != topic::error && item.on != topic::exit)
      if (auto bus = topics.lock()) {
        request(self, bus, caf::infinite,
                publish{{{topic::error, error_event{error_code::listener_failed, message,
                                                    "listener", instant_of(item), nullptr}}}})
            .then([](const published&) {}, [](const caf::error&) {});
        return;
      }
    write_safely(setup.log, log_level::error, "listener", message,
                 {identity_of(item), instant_of(item)});
  }
};

struct error_log_state {
  self_pointer<subscriber_actor, error_log_state> self = nullptr;
  shared_logger log;

  void init(shared_logger given) { log = std::move(given); }

  subscriber_actor::behavior_type make_behavior() {
    return {[this](const event_batch& batch) {
      for (const auto& item : batch.events)
        if (const auto* problem = std::get_if<error_event>(&item.payload))
          write_safely(log, item.on == topic::exit ? log_level::error : log_level::warn,
                       problem->source, problem->message, {problem->run, problem->timestamp});
      return batch_done{};
    }};
  }
};

} // namespace

subscriber_actor spawn_listener(caf::actor_system& system, const shared_census& census,
                                listener_setup setup) {
  return spawn_actor<listener_state, subscriber_actor, caf::detached>(system, census,
                                                                      std::move(setup));
}

subscriber_actor spawn_error_log(caf::actor_system& system, const shared_census& census,
                                 shared_logger log) {
  return spawn_actor<error_log_state, subscriber_actor>(system, census, std::move(log));
}

} // namespace backtest
