#pragma once

// Everything that differs between CAF 0.17 and CAF 1.x. No other file looks at the version.

#include <caf/all.hpp>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>

// 1.x defines its major version; 0.17 has only CAF_VERSION, which must not be compared (it is
// octal by accident in 1.1.0).
#if defined(CAF_VERSION_MAJOR)
#define BACKTEST_CAF_MODERN 1
#else
#define BACKTEST_CAF_MODERN 0
#endif

namespace backtest {

// -- contracts: written as result<Answer>(Message) on both versions --------------------------------

#if BACKTEST_CAF_MODERN
template <class... Signatures> using typed_interface = caf::typed_actor<Signatures...>;
#else
namespace detail {
template <class> struct legacy_signature;
template <class Answer, class... Message> struct legacy_signature<caf::result<Answer>(Message...)> {
  using type = typename caf::replies_to<Message...>::template with<Answer>;
};
template <class... Message> struct legacy_signature<caf::result<void>(Message...)> {
  using type = caf::reacts_to<Message...>;
};
} // namespace detail
template <class... Signatures>
using typed_interface = caf::typed_actor<typename detail::legacy_signature<Signatures>::type...>;
#endif

/// Pointer an actor's state keeps to its own actor.
template <class Interface, class State>
using self_pointer = typename Interface::template stateful_pointer<State>;

// -- spawning and ending ----------------------------------------------------------------------------

/// Counts the actors of one runtime, and what threads that may outlive it do with them, so that it
/// can wait until the last one is gone. Thread-safe.
class actor_census {
public:
  void enter() {
    const std::lock_guard lock{mutex_};
    ++alive_;
  }
  void leave() {
    const std::lock_guard lock{mutex_};
    if (--alive_ + visits_ == 0)
      none_left_.notify_all();
  }
  /// No visit begins any more.
  void close_to_visits() {
    const std::lock_guard lock{mutex_};
    is_closed_ = true;
  }
  /// Blocks until every actor counted has ended and every visit is over. Not from an actor.
  void wait_until_empty() {
    std::unique_lock lock{mutex_};
    none_left_.wait(lock, [this] { return alive_ + visits_ == 0; });
  }
  std::size_t alive() const {
    const std::lock_guard lock{mutex_};
    return alive_;
  }

private:
  friend class census_visit;

  mutable std::mutex mutex_;
  std::condition_variable none_left_;
  std::size_t alive_ = 0;
  std::size_t visits_ = 0;
  bool is_closed_ = false;
};

using shared_census = std::shared_ptr<actor_census>;

/// Around whatever a thread that may outlive a runtime does with its actors. Handles it locked are
/// let go of before the visit ends.
class census_visit {
public:
  /// Null: of actors that outlive the thread.
  explicit census_visit(shared_census census) : census_(std::move(census)) {
    if (!census_)
      return;
    const std::lock_guard lock{census_->mutex_};
    is_allowed_ = !census_->is_closed_;
    if (is_allowed_)
      ++census_->visits_;
  }
  ~census_visit() {
    if (!census_ || !is_allowed_)
      return;
    const std::lock_guard lock{census_->mutex_};
    if (--census_->visits_ + census_->alive_ == 0)
      census_->none_left_.notify_all();
  }
  census_visit(const census_visit&) = delete;
  census_visit& operator=(const census_visit&) = delete;

  /// False once the runtime is ending: hands off its actors.
  explicit operator bool() const noexcept { return is_allowed_; }

private:
  shared_census census_;
  bool is_allowed_ = true;
};

/// Runs `action(reason)` once `actor` has ended, at once when it already has; in whatever thread
/// that happens, so it should only send.
template <class Handle, class Action> void on_exit(const Handle& actor, Action action) {
  caf::actor_cast<caf::abstract_actor*>(actor)->attach_functor(
      [action = std::move(action)](const caf::error& reason) mutable { action(reason); });
}

#if BACKTEST_CAF_MODERN
template <class Self> auto& state_of(Self* self) { return self->state(); }
#else
template <class Self> auto& state_of(Self* self) { return self->state; }
#endif

/// The one way actors are made: `State` is default-constructed, gets `self`, then `init(args...)`,
/// then `make_behavior()`. `census` may be null.
template <class State, class Interface, caf::spawn_options Options = caf::no_spawn_options,
          class... Args>
Interface spawn_actor(caf::actor_system& system, const shared_census& census, Args&&... args) {
  using pointer = self_pointer<Interface, State>;
  if (census)
    census->enter();
  auto handle = system.spawn<Options>(
      [](pointer self, std::decay_t<Args>... as) -> typename Interface::behavior_type {
        auto& state = state_of(self);
        state.self = self;
        state.init(std::move(as)...);
        return state.make_behavior();
      },
      std::forward<Args>(args)...);
  if (census)
    on_exit(handle, [census](const caf::error&) { census->leave(); });
  return handle;
}

/// Asks an actor to end; what it owns it must end itself.
template <class Handle> void end_actor(const Handle& actor) {
  if (actor)
    caf::anon_send_exit(actor, caf::exit_reason::user_shutdown);
}

/// From now on exits come from `end_actor` alone, not along links: for actors that other processes may
/// link to.
template <class Self> void end_by_owner_only(Self* self) {
#if BACKTEST_CAF_MODERN // it wants a handler in the behavior, which 0.17 does not know
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
#endif
  self->set_exit_handler([self](caf::exit_msg& message) {
    if (!message.source || message.source == self->address()) // 0.17 names the receiver itself
      self->quit(std::move(message.reason));
  });
#if BACKTEST_CAF_MODERN
#pragma GCC diagnostic pop
#endif
}

/// A handle that does not keep its actor alive: what children hold of their owners.
template <class Interface> class weak_handle {
public:
  weak_handle() = default;
  explicit weak_handle(const Interface& strong) : address_(caf::actor_cast<caf::actor_addr>(strong)) {}
  /// Null when the actor is gone.
  Interface lock() const { return caf::actor_cast<Interface>(address_); }

private:
  caf::actor_addr address_;
};

// -- messages -----------------------------------------------------------------------------------------

#if BACKTEST_CAF_MODERN
template <class Self, class Handle, class Message>
void send(Self&& self, const Handle& to, Message message) {
  self->mail(std::move(message)).send(to);
}
template <class Handle, class Message> void send_anonymously(const Handle& to, Message message) {
  caf::anon_mail(std::move(message)).send(to);
}
template <class Self, class Handle, class Timeout, class Message>
auto request(Self&& self, const Handle& to, Timeout timeout, Message message) {
  return self->mail(std::move(message)).request(to, timeout);
}
template <class Self, class Handle, class Message>
auto pass_on(Self&& self, const Handle& to, Message message) {
  return self->mail(std::move(message)).delegate(to);
}
/// By the clock of its actor system. It keeps `to` alive until then, so `to` is an actor that
/// somebody ends.
template <class Handle, class Message>
void send_later(const Handle& to, std::chrono::nanoseconds delay, Message message) {
  caf::anon_mail(std::move(message)).delay(delay).send(to);
}
#else
template <class Self, class Handle, class Message>
void send(Self&& self, const Handle& to, Message message) {
  self->send(to, std::move(message));
}
template <class Handle, class Message> void send_anonymously(const Handle& to, Message message) {
  caf::anon_send(to, std::move(message));
}
/// `timeout`: a std::chrono duration, or caf::infinite between our own actors.
template <class Self, class Handle, class Timeout, class Message>
auto request(Self&& self, const Handle& to, Timeout timeout, Message message) {
  return self->request(to, timeout, std::move(message));
}
/// `to` answers in the place of the actor that was asked.
template <class Self, class Handle, class Message>
auto pass_on(Self&& self, const Handle& to, Message message) {
  return self->delegate(to, std::move(message));
}
/// By the clock of its actor system. It keeps `to` alive until then, so `to` is an actor that
/// somebody ends.
template <class Handle, class Message>
void send_later(const Handle& to, std::chrono::nanoseconds delay, Message message) {
  caf::delayed_anon_send(to, delay, std::move(message));
}
#endif

/// Around whatever a caller's own thread does with a system. 0.17 leaves a counted reference to the
/// system's logger in every thread that spawns an actor or makes a scoped one, and the destructor of
/// the system waits until the last of them is gone: a thread that called once and lives on would
/// hang it for ever.
class calling_thread {
public:
  /// A system that is being made here.
  calling_thread() = default;
  calling_thread(const calling_thread&) = delete;
  calling_thread& operator=(const calling_thread&) = delete;
#if BACKTEST_CAF_MODERN
  explicit calling_thread(caf::actor_system&) {}
#else
  explicit calling_thread(caf::actor_system& system)
      : belongs_(caf::logger::current_logger() == &system.logger()) {}
  ~calling_thread() {
    if (!belongs_) // else: an actor's thread, or the caller's own business
      caf::logger::set_current_actor_system(nullptr);
  }

private:
  bool belongs_ = false;
#endif
};

/// An answer given later.
template <class Answer> using response_promise = caf::typed_response_promise<Answer>;

template <class Answer, class Self> response_promise<Answer> promise_answer(Self* self) {
  return self->template make_response_promise<Answer>();
}

/// What 1.x wants to know before the first actor system; nothing on 0.17. Idempotent.
void prepare_caf();

#if BACKTEST_CAF_MODERN
inline constexpr const char* max_threads_option = "caf.scheduler.max-threads";
#else
inline constexpr const char* max_threads_option = "scheduler.max-threads";
#endif

/// Threads that scheduled actors share, at least 1.
inline std::size_t scheduler_threads(caf::actor_system& system) {
#if BACKTEST_CAF_MODERN
  const auto preset = std::max<std::size_t>(std::thread::hardware_concurrency(), 4);
  return std::max<std::size_t>(caf::get_or(system.config(), max_threads_option, preset), 1);
#else
  return std::max<std::size_t>(system.scheduler().num_workers(), 1);
#endif
}

/// For systems whose actors talk every few microseconds, as runs that share a risk profile do: a
/// scheduler thread without work looks for some for a fraction of a millisecond before it sleeps,
/// because waking it takes longer than the work it would miss. One that slept looks at what the
/// others have to do every five milliseconds, not ten.
inline void tune_scheduler(caf::actor_system_config& configuration) {
#if BACKTEST_CAF_MODERN
  const std::string group = "caf.work-stealing.";
#else
  const std::string group = "work-stealing.";
#endif
  configuration.set(group + "aggressive-poll-attempts", std::int64_t{10'000});
  configuration.set(group + "relaxed-sleep-duration", caf::timespan{std::chrono::milliseconds{5}});
  configuration.set(group + "relaxed-steal-interval", std::int64_t{1});
}

/// Of the error that comes in place of an answer: the actor asked may have ended, which its exit
/// tells; a handler may answer with the same.
inline bool may_be_an_end(const caf::error& reason) {
#if BACKTEST_CAF_MODERN
  return reason.category() == caf::type_id_v<caf::exit_reason> ||
         reason == caf::sec::broken_promise || reason == caf::sec::request_receiver_down;
#else
  return reason.category() == caf::make_error(caf::exit_reason::kill).category() ||
         reason == caf::sec::request_receiver_down;
#endif
}

/// An actor that ended for this reason did so because somebody wanted it.
inline bool is_orderly_end(const caf::error& reason) {
  return !reason || reason == caf::exit_reason::normal ||
         reason == caf::exit_reason::user_shutdown || reason == caf::exit_reason::kill;
}

/// Words for an error of CAF, its context included, for logs and error events. One of a program's
/// own kind is called by that kind's name and its number: its words are known to its actor system.
std::string text_of(const caf::error& reason);
/// The same with the words of a program's own kinds, as far as the configuration of the system has
/// them.
std::string text_of(const caf::actor_system& system, const caf::error& reason);

} // namespace backtest

// -- inspection: a message travels between processes as its JSON text, the one form every other
//    reader of it uses too ------------------------------------------------------------------------------

#if BACKTEST_CAF_MODERN
// Include messages/inspect_caf.hpp, where it is used.
#define BACKTEST_INSPECT_AS_JSON(type)                                                             \
  template <class Inspector> bool inspect(Inspector& f, type& x) {                                 \
    std::string text;                                                                              \
    if constexpr (Inspector::is_loading) {                                                         \
      if (!f.apply(text))                                                                          \
        return false;                                                                              \
      const auto problem = ::backtest::read_json_text(text, x);                                    \
      if (problem)                                                                                 \
        f.set_error(caf::make_error(caf::sec::invalid_argument, #type ": " + *problem));           \
      return !problem;                                                                             \
    } else {                                                                                       \
      text = to_json_text(x);                                                                      \
      return f.apply(text);                                                                        \
    }                                                                                              \
  }
/// Two members that are inspected themselves, for messages that hold a handle.
#define BACKTEST_INSPECT_TWO(type, first, second)                                                  \
  template <class Inspector> bool inspect(Inspector& f, type& x) {                                 \
    return f.object(x).fields(f.field(#first, x.first), f.field(#second, x.second));               \
  }
#else
#define BACKTEST_INSPECT_AS_JSON(type)                                                             \
  template <class Inspector> typename Inspector::result_type inspect(Inspector& f, type& x) {      \
    std::string text;                                                                              \
    if constexpr (Inspector::reads_state) {                                                        \
      text = to_json_text(x);                                                                      \
      return f(text);                                                                              \
    } else {                                                                                       \
      auto result = f(text);                                                                       \
      if (!result)                                                                                 \
        if (const auto problem = ::backtest::read_json_text(text, x))                              \
          result = caf::make_error(caf::sec::invalid_argument, #type ": " + *problem);             \
      return result;                                                                               \
    }                                                                                              \
  }
#define BACKTEST_INSPECT_TWO(type, first, second)                                                  \
  template <class Inspector> typename Inspector::result_type inspect(Inspector& f, type& x) {      \
    return f(caf::meta::type_name(#type), x.first, x.second);                                      \
  }
#endif
