#include "tests/support/hosted_runtime.hpp"

using namespace backtest;
using namespace backtest::testing;

namespace {

/// Never answers.
struct mute_state {
  self_pointer<subscriber_actor, mute_state> self = nullptr;
  std::vector<response_promise<batch_done>> owed;
  void init() {}
  subscriber_actor::behavior_type make_behavior() {
    return {[this](const event_batch&) -> caf::result<batch_done> {
      owed.push_back(promise_answer<batch_done>(self));
      return owed.back();
    }};
  }
};

/// Lives as long as this.
class mute_subscriber {
public:
  explicit mute_subscriber(caf::actor_system& system) {
    const calling_thread visit{system};
    handle = spawn_actor<mute_state, subscriber_actor>(system, nullptr);
  }
  ~mute_subscriber() { end_actor(handle); }
  mute_subscriber(const mute_subscriber&) = delete;
  mute_subscriber& operator=(const mute_subscriber&) = delete;

  subscriber_actor handle;
};

/// Every minute of a strategy's backtests.
subscription minutes_of(const std::string& strategy) {
  return {{topic::signal_backtest}, {tick_action::idle}, {}, {strategy}};
}

/// "buyer" and "other", sixty days of nothing: too much for a subscriber that does not answer.
void add_quiet_strategies(runtime& target) {
  add_basics(target, never, 60 * day_ms);
  target.add_strategy(strategy_of("other", never));
}

} // namespace

TEST_CASE(
    "subscriber that never answers: what it does not hear goes on, what it hears is stopped") {
  const watchdog guard{std::chrono::seconds{300}};
  const auto kind = every_host();
  tally heard;
  hosted_runtime target{kind};
  add_quiet_strategies(*target);
  const mute_subscriber mute{target->system()};
  target->listen(minutes_of("buyer"), [&](const event&) { heard.add(); });
  target->subscribe(minutes_of("buyer"), mute.handle);
  auto held = target->backtest().background(request_of());
  heard.wait_for(10'001);
  CHECK(run_to_end(*target, request_of({"BTC"}, {"other"})).outcome == run_outcome::completed);
  CHECK(!held.finished());
  held.cancel();
  held.wait();
  CHECK(held.summaries().front().outcome == run_outcome::stopped);
  auto by_name = target->backtest().background(request_of());
  target->backtest().stop("BTC", "buyer");
  by_name.wait();
  CHECK(!target->backtest().status("BTC", "buyer").is_running());
}

TEST_CASE("subscriber that never answers: a stream that waits for it is stopped") {
  const watchdog guard{std::chrono::seconds{300}};
  const auto kind = every_host();
  tally heard;
  hosted_runtime target{kind};
  add_quiet_strategies(*target);
  target->override_strategy("buyer", [](strategy_schema& s) { s.get_signal = buy; });
  const mute_subscriber mute{target->system()};
  target->subscribe({{topic::signal_backtest}, {}, {}, {}}, mute.handle);
  target->listen({{topic::signal_backtest}, {}, {}, {}}, [&](const event&) { heard.add(); });
  auto stream = target->backtest().run(request_of());
  std::thread consumer{[&] {
    while (stream.next()) {
    }
  }};
  heard.wait_for(10'001);
  stream.stop();
  consumer.join();
  CHECK(stream.summaries().front().outcome == run_outcome::stopped);
}

TEST_CASE("subscriber that never answers: the runtime ends, whatever waits for it") {
  const watchdog guard{std::chrono::seconds{300}};
  const auto kind = every_host();
  tally heard;
  hosted_runtime target{kind};
  add_quiet_strategies(*target);
  auto mute = std::make_unique<mute_subscriber>(target->system());
  target->subscribe(minutes_of("buyer"), mute->handle);
  target->listen(minutes_of("buyer"), [&](const event&) { heard.add(); });
  const auto held = target->backtest().background(request_of());
  heard.wait_for(10'001);
  if (!kind.is_foreign)
    mute.reset(); // its actor system waits for it
  target.end_runtime();
  CHECK(held.finished());
  mute.reset();
}

TEST_CASE("subscriber that never answers: it is told of by name, and dropped if it wants that") {
  const watchdog guard{std::chrono::seconds{120}};
  for (const bool is_dropped : {true, false}) {
    auto options = quiet();
    options.parameters.subscriber_patience_seconds = 1;
    const auto log = std::make_shared<kept_log>();
    options.log = log;
    tally told;
    std::string message;
    hosted_runtime target{{2, is_dropped}, options};
    add_quiet_strategies(*target);
    const mute_subscriber mute{target->system()};
    auto wanted = minutes_of("buyer");
    wanted.name = "charts";
    wanted.drop_when_overdue = is_dropped;
    const auto handle = target->subscribe(wanted, mute.handle);
    auto errors = target->listen_error([&](const error_event& problem) {
      if (problem.code == error_code::listener_overdue) {
        message = problem.message;
        told.add();
      }
    });
    auto held = target->backtest().background(request_of());
    told.wait_for(1);
    CHECK(message.find("subscriber " + std::to_string(handle.id()) +
                       " \"charts\" (topics signal_backtest; strategies buyer) has not answered "
                       "for 1 s") == 0);
    if (!is_dropped)
      held.cancel();
    held.wait();
    CHECK((held.summaries().front().outcome == run_outcome::completed) == is_dropped);
    if (is_dropped)
      target->flush(); // nobody is left to wait for
    CHECK(log->has("charts"));
    errors.unsubscribe();
  }
}

TEST_CASE("listener that hangs: what it does not hear goes on, what it hears is stopped") {
  const watchdog guard{std::chrono::seconds{300}};
  const auto kind = every_host();
  gate held_callback;
  tally heard;
  hosted_runtime target{kind};
  add_quiet_strategies(*target);
  target->listen(minutes_of("buyer"), [&](const event&) { held_callback.pass(); });
  target->listen(minutes_of("buyer"), [&](const event&) { heard.add(); });
  auto held = target->backtest().background(request_of());
  heard.wait_for(10'001);
  CHECK(run_to_end(*target, request_of({"BTC"}, {"other"})).outcome == run_outcome::completed);
  held.cancel();
  held.wait();
  CHECK(held.summaries().front().outcome == run_outcome::stopped);
  held_callback.open();
}

TEST_CASE(
    "ending a runtime: no callback of a listener begins any more, one that runs is waited for") {
  const watchdog guard{std::chrono::seconds{300}};
  const auto kind = every_host();
  tally called, left, heard;
  gate held_callback;
  hosted_runtime target{kind};
  add_quiet_strategies(*target);
  target->listen(minutes_of("buyer"), [&](const event&) {
    called.add();
    held_callback.pass();
    left.add();
  });
  target->listen(minutes_of("buyer"), [&](const event&) { heard.add(); });
  const auto run = target->backtest().background(request_of());
  heard.wait_for(10'001); // so many wait for it
  held_callback.wait_for_arrival();
  std::thread ending{[&] { target.end_runtime(); }};
  run.wait(); // that is what comes behind the gates
  held_callback.open();
  ending.join();
  CHECK(called.count() == 1);
  CHECK(left.count() == 1);
}

TEST_CASE("ending a runtime: a callback that never returns is left when patience ends") {
  const watchdog guard{std::chrono::seconds{120}};
  for (const bool is_foreign : {false, true}) {
    auto options = quiet();
    options.parameters.subscriber_patience_seconds = 1;
    const auto log = std::make_shared<kept_log>();
    options.log = log;
    struct shared_things {
      gate held;
      tally called, left;
    };
    const auto shared = std::make_shared<shared_things>(); // a callback that may be left owns it
    {
      hosted_runtime target{{2, is_foreign}, options};
      add_quiet_strategies(*target);
      auto wanted = minutes_of("buyer");
      wanted.name = "charts";
      target->listen(wanted, [shared](const event&) {
        shared->called.add();
        shared->held.pass();
        shared->left.add();
        throw std::runtime_error("after the runtime");
      });
      target->backtest().background(request_of());
      shared->held.wait_for_arrival();
      target.end_runtime();
      target.end_host();
      CHECK(shared->left.count() == 0);
    }
    CHECK(log->has("the runtime ends without the callback of the listener \"charts\""));
    shared->held.open();
    shared->left.wait_for(1);
    CHECK(shared->called.count() == 1);
  }
}

TEST_CASE("ending a runtime: a blocking strategy function is left, and may end later") {
  const watchdog guard{std::chrono::seconds{300}};
  struct shared_things {
    gate held;
    tally left;
    std::optional<error> problem;
  };
  const auto kind = every_host();
  for (const bool is_late : {false, true}) { // abandoned at its deadline before
    if (is_late && kind.threads != 2)
      continue;
    const auto shared = std::make_shared<shared_things>();
    {
      auto options = quiet();
      options.parameters.max_signal_generation_seconds = is_late ? 1 : 180;
      hosted_runtime target{kind, options};
      auto strategy = strategy_of("buyer", [shared](const run_context& context) {
        shared->held.pass();
        shared->problem = failure_of([&] { context.candles("ETH", interval::m1, 5); });
        shared->left.add();
        return std::optional<signal_request>{};
      });
      strategy.blocking = true;
      target->add_exchange(wave_exchange());
      target->add_frame(frame_of(day_ms));
      target->add_strategy(strategy);
      const auto run = target->backtest().background(request_of());
      shared->held.wait_for_arrival();
      if (is_late)
        run.wait();
      target.end_runtime();
      target.end_host();
      CHECK(run.finished());
      CHECK(shared->left.count() == 0);
    }
    shared->held.open();
    shared->left.wait_for(1);
    REQUIRE(shared->problem);
    CHECK(shared->problem->code == error_code::fetch_failed);
    CHECK(shared->problem->message.find("the runtime ends") != std::string::npos);
  }
}

TEST_CASE("listen_once: without a predicate the first event is the one") {
  const watchdog guard{std::chrono::seconds{120}};
  const auto kind = every_host();
  tally called;
  std::optional<event> heard;
  hosted_runtime target{kind};
  add_basics(*target);
  target->listen_once({{topic::signal_backtest}, {tick_action::closed}, {}, {}}, {},
                      [&](const event& item) {
                        heard = item;
                        called.add();
                      });
  heard_events all{*target, {topic::signal_backtest}};
  CHECK(run_to_end(*target).counters.closed > 5);
  target->flush();
  CHECK(called.count() == 1);
  REQUIRE(heard);
  for (const auto& item : all.all())
    if (std::get<tick_result>(item.payload).action == tick_action::closed) {
      CHECK(item == *heard);
      break;
    }
}

TEST_CASE("listen: a subscription that names nothing hears everything, each event once") {
  const watchdog guard{std::chrono::seconds{120}};
  const auto kind = every_host();
  std::mutex mutex;
  std::vector<event> everything;
  hosted_runtime target{kind};
  add_basics(*target);
  auto handle = target->listen({}, [&](const event& item) {
    const std::lock_guard lock{mutex};
    everything.push_back(item);
  });
  std::vector<topic> every_topic;
  for (std::size_t t = 0; t < topic_count; ++t)
    if (const auto on = static_cast<topic>(t); on != topic::signal)
      every_topic.push_back(on);
  heard_events named{*target, every_topic};
  run_to_end(*target);
  const auto expected = named.all();
  target->flush();
  handle.unsubscribe();
  const std::lock_guard lock{mutex};
  CHECK(expected.size() > 1440);
  CHECK(everything == expected);
}
