#include "actors/exchange/fetch_failure.hpp"
#include "tests/support/hosted_runtime.hpp"
#include "tests/support/live_fixture.hpp"
#include "tests/support/walker_fixture.hpp"

#include <stop_token>

using namespace backtest;
using namespace backtest::testing;

namespace {

constexpr instant many_days = 50 * day_ms;

/// Counts the questions of a source; the one numbered `held` is not answered before it is told that
/// nobody wants the answer any more.
class held_source {
public:
  explicit held_source(int held) : held_(held) {}

  candle_function function() {
    return [this](const candle_query& query) {
      if (asked.add() == held_) {
        arrived.add();
        wait_until(query.stop);
      }
      return wave(query.since, query.until);
    };
  }

  tally asked, arrived;

private:
  static void wait_until(const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any changed;
    std::unique_lock lock{mutex};
    changed.wait(lock, stop, [] { return false; });
  }

  int held_;
};

void add_held(runtime& target, held_source& source, tally& told, instant length = many_days) {
  auto exchange = wave_exchange();
  exchange.get_candles = source.function();
  exchange.callbacks.on_candle_data = [&told](const std::string&, interval, instant,
                                              std::span<const candle>) { told.add(); };
  target.add_exchange(exchange);
  target.add_frame(frame_of(length));
  target.add_strategy(strategy_of("buyer"));
}

/// Asks for many hours of "OTHER" before it makes a signal.
struct looking_back_state {
  self_pointer<signal_source_actor, looking_back_state> self = nullptr;
  tally* asked = nullptr;

  void init(tally* questions) { asked = questions; }

  signal_source_actor::behavior_type make_behavior() {
    return {[this](const generate_signal& message) -> caf::result<generated_signal> {
      asked->add();
      auto promise = promise_answer<generated_signal>(self);
      request(self, message.market, caf::infinite,
              ask_candles{"OTHER", interval::h1, hours_looked_back, message.when})
          .then(
              [promise](const candle_list& found) mutable {
                promise.deliver(generated_signal{std::nullopt, found.problem, {}});
              },
              [promise](const caf::error&) mutable { promise.deliver(generated_signal{}); });
      return promise;
    }};
  }

  static constexpr std::int64_t hours_looked_back = 40 * 24;
};

enum class ending { cancel, stop_by_name, destruction };

} // namespace

TEST_CASE("stop: of the days of a fetch only the one under way is asked for") {
  const auto kind = every_host();
  for (const auto how : {ending::cancel, ending::stop_by_name, ending::destruction}) {
    CAPTURE(static_cast<int>(how));
    const watchdog guard{};
    held_source source{3};
    tally told;
    hosted_runtime target{kind};
    add_held(*target, source, told);
    auto run = target->backtest().background(request_of({"A", "B", "C"}));
    source.arrived.wait_for(1);
    if (how == ending::cancel)
      run.cancel();
    else if (how == ending::stop_by_name)
      for (const auto* symbol : {"A", "B", "C"})
        target->backtest().stop(symbol, "buyer");
    else
      target.end_runtime();
    run.wait();
    target.end_runtime();
    CHECK(source.asked.count() == 3);
    CHECK(told.count() == 2);
    for (const auto& summary : run.summaries()) {
      CHECK(summary.outcome == run_outcome::stopped);
      CHECK(summary.counters.opened == 0);
    }
  }
}

TEST_CASE("stop: one symbol of several gives up its own fetch only") {
  const auto kind = every_host();
  const watchdog guard{};
  gate held;
  tally asked_of_a;
  hosted_runtime hosted{kind};
  runtime& target = *hosted;
  auto exchange = wave_exchange();
  exchange.get_candles = [&](const candle_query& query) {
    if (query.symbol == "A" && asked_of_a.add() == 2)
      held.pass();
    return wave(query.since, query.until);
  };
  target.add_exchange(exchange);
  target.add_frame(frame_of(5 * day_ms));
  target.add_strategy(strategy_of("buyer"));
  auto run = target.backtest().background(request_of({"A", "B"}));
  held.wait_for_arrival();
  target.backtest().stop("A", "buyer");
  held.open();
  run.wait();
  CHECK(asked_of_a.count() == 2);
  const auto summaries = run.summaries();
  CHECK(summaries[0].outcome == run_outcome::stopped);
  CHECK(summaries[1].outcome == run_outcome::completed);
  CHECK(summaries[1].counters.closed > 5);
}

TEST_CASE("stop: nobody waits for the next attempt, nor makes it") {
  const auto kind = every_host();
  const watchdog guard{};
  for (const bool asked_to_wait : {false, true}) {
    CAPTURE(asked_to_wait);
    auto options = quiet();
    options.parameters.get_candles_retry_delay_ms = 3'600'000;
    hosted_runtime hosted{kind, options};
    runtime& target = *hosted;
    tally asked;
    auto exchange = wave_exchange();
    exchange.get_candles = [&](const candle_query&) -> std::vector<candle> {
      asked.add();
      if (asked_to_wait)
        throw postponed_failure(error_code::fetch_failed, "later", std::chrono::seconds{299});
      throw std::runtime_error("not now");
    };
    target.add_exchange(exchange);
    target.add_frame(frame_of(day_ms));
    target.add_strategy(strategy_of("buyer"));
    auto run = target.backtest().background(request_of());
    asked.wait_for(1);
    run.cancel();
    run.wait();
    CHECK(run.summaries().front().outcome == run_outcome::stopped);
    CHECK(asked.count() == 1);
  }
}

TEST_CASE("stop: a source that throws as it was told to stop does not make the run fail") {
  const auto kind = every_host();
  const watchdog guard{};
  hosted_runtime hosted{kind};
  runtime& target = *hosted;
  gate held;
  tally asked;
  auto exchange = wave_exchange();
  exchange.get_candles = [&](const candle_query&) -> std::vector<candle> {
    asked.add();
    held.pass();
    throw permanent_failure(error_code::fetch_failed, "I was told to stop");
  };
  target.add_exchange(exchange);
  target.add_frame(frame_of(day_ms));
  target.add_strategy(strategy_of("buyer"));
  auto run = target.backtest().background(request_of());
  held.wait_for_arrival();
  run.cancel();
  held.open();
  run.wait();
  CHECK(run.summaries().front().outcome == run_outcome::stopped);
  CHECK_FALSE(run.summaries().front().problem);
  CHECK(asked.count() == 1);
}

TEST_CASE("stop: candles that a strategy asks for are given up, and its run was stopped") {
  const auto host = every_host();
  enum class kind { function, blocking, actor };
  for (const auto of : {kind::function, kind::blocking, kind::actor}) {
    CAPTURE(static_cast<int>(of));
    const watchdog guard{};
    held_source source{3};
    tally signals;
    hosted_runtime hosted{host};
    runtime& target = *hosted;
    auto exchange = wave_exchange();
    exchange.get_candles = [answer = source.function()](const candle_query& query) {
      return query.symbol == "OTHER" ? answer(query) : wave(query.since, query.until);
    };
    target.add_exchange(exchange);
    target.add_frame(frame_of(day_ms));
    auto strategy = strategy_of("buyer", [&](const run_context& now) {
      signals.add();
      now.candles("OTHER", interval::h1, looking_back_state::hours_looked_back);
      return buy(now);
    });
    strategy.blocking = of == kind::blocking;
    const auto actor =
        spawn_actor<looking_back_state, signal_source_actor>(target.system(), nullptr, &signals);
    if (of == kind::actor)
      target.add_strategy(strategy, actor);
    else
      target.add_strategy(strategy);
    auto run = target.backtest().background(request_of());
    source.arrived.wait_for(1);
    run.cancel();
    run.wait();
    CHECK(run.summaries().front().outcome == run_outcome::stopped);
    CHECK(run.summaries().front().errors == 0);
    CHECK(source.asked.count() == 3);
    CHECK(signals.count() == 1);
    end_actor(actor);
  }
}

TEST_CASE("stop: a run that waits for its turn calls nothing") {
  const watchdog guard{};
  runtime target{quiet(1)};
  gate held;
  add_basics(target, [&](const run_context& now) {
    held.pass();
    return buy(now);
  });
  tally called;
  auto frame = frame_of(day_ms, "other");
  frame.callbacks.on_timeframe = [&](instant, instant, std::int64_t) { called.add(); };
  target.add_frame(frame);
  auto exchange = wave_exchange("other");
  exchange.get_candles = [&](const candle_query& query) {
    called.add();
    return wave(query.since, query.until);
  };
  target.add_exchange(exchange);
  auto busy = target.backtest().background(request_of());
  held.wait_for_arrival();
  auto run = target.backtest().background({{"WAITS"}, {"buyer"}, "other", "other"});
  run.cancel();
  held.open();
  run.wait();
  busy.cancel();
  busy.wait();
  CHECK(run.summaries().front().outcome == run_outcome::stopped);
  CHECK(called.count() == 0);
}

TEST_CASE("stop: the other rules of a risk profile are not asked, and nothing opens") {
  const auto kind = every_host();
  const watchdog guard{};
  hosted_runtime hosted{kind};
  runtime& target = *hosted;
  gate held;
  tally asked, told;
  add_basics(target);
  risk_schema profile;
  profile.risk_name = "two rules";
  for (int i = 0; i < 2; ++i)
    profile.validations.push_back({[&](const risk_question&) -> std::optional<std::string> {
                                     asked.add();
                                     held.pass();
                                     return std::nullopt;
                                   },
                                   ""});
  profile.callbacks.on_allowed =
      profile.callbacks.on_rejected = [&](const risk_question&) { told.add(); };
  target.add_risk(profile);
  target.override_strategy("buyer",
                           [](strategy_schema& schema) { schema.risk_name = "two rules"; });
  auto run = target.backtest().background(request_of());
  held.wait_for_arrival();
  run.cancel();
  held.open();
  run.wait();
  CHECK(run.summaries().front().outcome == run_outcome::stopped);
  CHECK(run.summaries().front().counters.opened == 0);
  CHECK(run.summaries().front().counters.risk_rejections == 0);
  CHECK(asked.count() == 1);
  CHECK(told.count() == 0);
}

TEST_CASE("stop: what is open is told to its end") {
  const auto kind = every_host();
  const watchdog guard{};
  hosted_runtime hosted{kind};
  runtime& target = *hosted;
  gate held;
  tally closed;
  add_basics(target);
  target.override_strategy("buyer", [&](strategy_schema& schema) {
    schema.callbacks.on_open = [&](const tick_result&) { held.pass(); };
    schema.callbacks.on_close = [&](const tick_result&) { closed.add(); };
  });
  auto run = target.backtest().background(request_of());
  held.wait_for_arrival();
  run.cancel();
  held.open();
  run.wait();
  CHECK(run.summaries().front().outcome == run_outcome::stopped);
  CHECK(run.summaries().front().counters.closed == 1);
  CHECK(closed.count() == 1);
}

TEST_CASE("destruction: of the callbacks of one event none but the one that runs") {
  const auto kind = every_host();
  if (kind.threads == 1) // which the function that runs holds: nobody sees the end begin
    return;
  for (const bool live : {false, true}) {
    CAPTURE(live);
    const watchdog guard{};
    gate held;
    tally called;
    hosted_runtime target{kind};
    add_basics(*target);
    target->override_strategy("buyer", [&](strategy_schema& schema) {
      const auto count = [&](const tick_result&) {
        called.add();
        held.pass();
      };
      auto& user = schema.callbacks;
      user.on_tick = user.on_open = user.on_active = user.on_close = user.on_idle = count;
      user.on_write = [&](const run_identity&, const signal_row*) {
        called.add();
        held.pass();
      };
    });
    const auto run = live ? target->live().background(one_buyer(at_full_speed()))
                          : target->backtest().background(request_of());
    held.wait_for_arrival();
    std::thread end{[&] { target.end_runtime(); }};
    run.wait(); // its driver is gone
    held.open();
    end.join();
    CHECK(called.count() == 1);
  }
}

TEST_CASE("destruction: of the rules of a live run none but the one that runs") {
  const auto kind = every_host();
  if (kind.threads == 1) // which the function that runs holds: nobody sees the end begin
    return;
  const watchdog guard{};
  gate held;
  tally called;
  const test_disk disk;
  hosted_runtime target{kind, on(disk)};
  add_basics(*target);
  risk_schema profile;
  profile.risk_name = "two rules";
  for (int i = 0; i < 2; ++i)
    profile.validations.push_back({[&](const risk_question&) -> std::optional<std::string> {
                                     called.add();
                                     held.pass();
                                     return std::nullopt;
                                   },
                                   ""});
  profile.callbacks.on_allowed =
      profile.callbacks.on_rejected = [&](const risk_question&) { called.add(); };
  target->add_risk(profile);
  target->override_strategy("buyer",
                            [](strategy_schema& schema) { schema.risk_name = "two rules"; });
  const auto run = target->live().background(one_buyer(at_full_speed()));
  held.wait_for_arrival();
  std::thread end{[&] { target.end_runtime(); }};
  run.wait();
  held.open();
  end.join();
  CHECK(called.count() == 1);
  for (const auto& line : disk.journal()) // it was not stopped, it is interrupted
    CHECK(line.find("stopped") == std::string::npos);
}

TEST_CASE("walker: stopped in a fetch, it asks and begins nothing more") {
  const auto kind = every_host();
  for (const bool destroys : {false, true}) {
    CAPTURE(destroys);
    const watchdog guard{};
    held_source source{3};
    tally started, told;
    hosted_runtime target{kind};
    add_rivals(*target, many_days);
    target->override_exchange(
        "exchange", [&](exchange_schema& schema) { schema.get_candles = source.function(); });
    auto walker = walker_of({"low", "middle", "buyer"});
    walker.callbacks.on_strategy_start = [&](const std::string&, const std::string&) {
      started.add();
    };
    walker.callbacks.on_complete = [&](const walker_complete&) { told.add(); };
    target->add_walker(walker);
    auto walk = target->walker().background("BTC", "compare");
    source.arrived.wait_for(1);
    started.wait_for(1);
    if (destroys)
      target.end_runtime();
    else
      walk.cancel();
    walk.wait();
    target.end_runtime();
    CHECK(source.asked.count() == 3);
    CHECK(started.count() == 1);
    CHECK(told.count() == (destroys ? 0 : 1));
  }
}

TEST_CASE("live: stopped while its history is fetched, it ends without asking for the rest") {
  const auto kind = every_host();
  for (const auto how : {ending::cancel, ending::stop_by_name, ending::destruction}) {
    CAPTURE(static_cast<int>(how));
    const watchdog guard{};
    held_source source{3};
    tally told;
    const test_disk disk;
    hosted_runtime target{kind, on(disk)};
    add_held(*target, source, told);
    auto run = target->live().background(one_buyer(at_full_speed()));
    source.arrived.wait_for(1);
    if (how == ending::cancel)
      run.cancel();
    else if (how == ending::stop_by_name)
      target->live().stop("BTC", "buyer");
    else
      target.end_runtime();
    run.wait();
    target.end_runtime();
    CHECK(source.asked.count() == 3);
    CHECK(told.count() == 2);
    CHECK(run.summaries().front().outcome == run_outcome::stopped);
    CHECK_FALSE(run.summaries().front().problem);
  }
}

TEST_CASE(
    "live: stopped while it catches up with the market, it ends without asking for the rest") {
  const auto kind = every_host();
  const watchdog guard{};
  const test_disk disk;
  const auto with_time = [](exchange_schema& schema, const std::shared_ptr<manual_clock>& clock) {
    schema.now = [clock] { return clock->now(); };
  };
  {
    const auto clock = std::make_shared<manual_clock>(first_instant + settled);
    hosted_runtime hosted{kind, on(disk)};
    runtime& target = *hosted;
    add_basics(target, never);
    target.override_exchange("exchange",
                             [&](exchange_schema& schema) { with_time(schema, clock); });
    tally ticks;
    target.listen_signal_live([&](const tick_result&) { ticks.add(); });
    target.live().background(one_buyer(clock));
    clock->wait_until_watched();
    clock->set(first_instant + minute_ms + settled);
    ticks.wait_for(1);
  }
  const auto clock = std::make_shared<manual_clock>(first_instant + many_days + settled);
  held_source source{3};
  hosted_runtime hosted{kind, on(disk)};
  runtime& target = *hosted;
  add_basics(target, never);
  target.override_exchange("exchange", [&](exchange_schema& schema) {
    schema.get_candles = source.function();
    with_time(schema, clock);
  });
  heard_events heard{target, {topic::error}};
  auto run = target.live().background(one_buyer(clock));
  source.arrived.wait_for(1);
  run.cancel();
  run.wait();
  CHECK(source.asked.count() == 3);
  CHECK(run.summaries().front().outcome == run_outcome::stopped);
  CHECK(heard.all().empty());
}
