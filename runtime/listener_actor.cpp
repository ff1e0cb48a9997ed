#include "runtime/listener.hpp"

#include "actors/leavable_thread.hpp"
#include "messages/calling_place.hpp"
#include "messages/thrown_text.hpp"

#include <deque>
#include <utility>

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

/// What the thread of a listener works with. It may outlive the actor, the runtime and the actor
/// system, so it holds none of them.
struct listener_work {
  event_callback callback;
  std::optional<event_predicate> once_when;
  std::shared_ptr<listener_gate> gate;
  shared_logger log;
  shared_census census;
  weak_handle<listener_actor> actor;

  void hear_all(const std::vector<event>& events) {
    for (const auto& item : events) {
      if (!gate->enter())
        break;
      hear(item);
      if (gate->is_closed()) { // what they captured goes before anybody may think that they are
                               // over
        callback = nullptr;
        once_when.reset();
      }
      gate->leave();
    }
    tell(batch_heard{});
  }

  void hear(const event& item) {
    if (!once_when)
      return guarded(item, callback);
    bool matches = false;
    guarded(item, [&](const event& x) { matches = (*once_when)(x); });
    if (matches && gate->close_behind()) // removed first, called then
      guarded(item, callback);
  }

  template <class Function> void guarded(const event& item, Function&& function) {
    const place_mark inside{calling_place::listener, census.get()};
    if (const auto thrown = thrown_text([&] { function(item); }))
      complain(item, *thrown);
  }

  /// It is the listener's error and none of the run's: it is not in the journal, and the run may be
  /// over and its errors told.
  void complain(const event& item, std::string_view what) {
    auto message =
        "a listener of " + std::string{to_string(item.on)} + " threw: " + std::string{what};
    if (const auto& run = identity_of(item))
      message += " (at an event of " + run->strategy_name + " on " + run->symbol + ")";
    if (item.on == topic::error || item.on == topic::exit ||
        !tell(listener_threw{{topic::error, error_event{error_code::listener_failed, message,
                                                        "listener", instant_of(item), nullptr}}}))
      write_safely(log, log_level::error, "listener", message,
                   {identity_of(item), instant_of(item)});
  }

  /// False once nobody is there to hear it.
  template <class Message>
  bool tell(Message message) {
    const census_visit visit{census};
    if (!visit)
      return false;
    const auto strong = actor.lock();
    if (strong) {
      const calling_thread caller{strong->home_system()};
      send_anonymously(strong, std::move(message));
    }
    return static_cast<bool>(strong);
  }
};

struct listener_state {
  self_pointer<listener_actor, listener_state> self = nullptr;
  std::shared_ptr<leavable_thread> thread;
  std::shared_ptr<listener_work> work;
  weak_handle<topics_actor> topics;
  std::deque<response_promise<batch_done>> owed; ///< for batches in the thread's hands, in order

  void init(std::shared_ptr<leavable_thread> its_thread, std::shared_ptr<listener_work> its_work,
            weak_handle<topics_actor> bus) {
    thread = std::move(its_thread);
    work = std::move(its_work);
    work->actor = weak_handle<listener_actor>{listener_actor{self}};
    topics = std::move(bus);
  }

  listener_actor::behavior_type make_behavior() {
    return {
        [this](event_batch& batch) -> caf::result<batch_done> {
          thread->run([held = work, events = std::make_shared<const std::vector<event>>(
                                        std::move(batch.events))] { held->hear_all(*events); });
          owed.push_back(promise_answer<batch_done>(self));
          return owed.back();
        },
        [this](listener_threw& message) {
          if (auto bus = topics.lock())
            request(self, bus, caf::infinite, publish{{std::move(message.complaint)}})
                .then([](const published&) {}, [](const caf::error&) {});
        },
        [this](const batch_heard&) {
          owed.front().deliver(batch_done{});
          owed.pop_front();
          if (work->gate->is_closed()) // it was for one event, or was dropped
            self->quit();
        },
    };
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
  const auto thread = std::make_shared<leavable_thread>();
  const auto work = std::make_shared<listener_work>();
  work->callback = std::move(setup.callback);
  work->once_when = std::move(setup.once_when);
  work->gate = std::move(setup.gate);
  work->log = std::move(setup.log);
  work->census = census;
  return spawn_actor<listener_state, listener_actor>(system, census, thread, work,
                                                     weak_handle<topics_actor>{setup.topics});
}

subscriber_actor spawn_error_log(caf::actor_system& system, const shared_census& census,
                                 shared_logger log) {
  return spawn_actor<error_log_state, subscriber_actor>(system, census, std::move(log));
}

} // namespace backtest
