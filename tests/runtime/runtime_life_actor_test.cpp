#include "messages/own_actor_system.hpp"
#include "tests/support/runtime_fixture.hpp"

#include <limits>

using namespace backtest;
using namespace backtest::testing;

TEST_CASE("runtime: a thousand of them come and go") {
  const watchdog guard{};
  for (int i = 0; i < 1000; ++i) {
    runtime target{quiet(1)};
    if (i % 3 == 0)
      add_basics(target);
    if (i % 5 == 0)
      target.listen_signal([](const tick_result&) {});
  }
}

TEST_CASE("runtime: ended while backtests run, at any point") {
  const watchdog guard{};
  for (int i = 0; i < 150; i += is_sanitized ? 10 : 1) {
    tally asked;
    runtime target{quiet(1 + static_cast<std::size_t>(i % 3))};
    add_basics(
        target,
        [&](const run_context& context) {
          asked.add();
          return buy(context);
        },
        60 * day_ms);
    target.listen_signal([](const tick_result&) {});
    target.backtest().background(request_of({"A", "B", "C"}));
    asked.wait_for(i);
  }
}

TEST_CASE("runtime: its end logs no warning and no error, whatever runs") {
  const watchdog guard{};
  const auto log = std::make_shared<kept_log>(log_level::warn);
  for (int i = 0; i < 60; i += is_sanitized ? 10 : 1) {
    tally asked;
    auto options = quiet(1 + static_cast<std::size_t>(i % 3));
    options.log = log;
    runtime target{options};
    add_basics(
        target,
        [&](const run_context& context) {
          asked.add();
          return buy(context);
        },
        60 * day_ms);
    target.listen_signal([](const tick_result&) {});
    if (i % 2 == 0) {
      target.backtest().background(request_of({"A", "B", "C"}));
    } else {
      live_request request;
      request.symbols = {"A", "B", "C"};
      request.strategies = {"buyer"};
      request.exchange = "exchange";
      request.frame = "frame";
      request.clock = make_replay_clock(std::numeric_limits<double>::infinity());
      target.live().background(request);
    }
    asked.wait_for(i);
  }
  for (const auto& line : log->lines())
    FAIL_CHECK(line);
}

TEST_CASE("runtime: ended while a signal source, a fetch or a listener is busy") {
  const watchdog guard{};
  enum class busy { source, blocking_source, fetch, listener };
  for (const auto what : {busy::source, busy::blocking_source, busy::fetch, busy::listener}) {
    CAPTURE(static_cast<int>(what));
    const auto held = std::make_shared<gate>(); // a blocking source is left to its call
    auto target = std::make_unique<runtime>(quiet());
    auto exchange = wave_exchange();
    if (what == busy::fetch)
      exchange.get_candles = [held](const candle_query& query) {
        held->pass();
        return wave(query.since, query.until);
      };
    target->add_exchange(exchange);
    target->add_frame(frame_of(day_ms));
    auto strategy = strategy_of("buyer");
    strategy.blocking = what == busy::blocking_source;
    if (what == busy::source || what == busy::blocking_source)
      strategy.get_signal = [held](const run_context& context) {
        held->pass();
        return buy(context);
      };
    target->add_strategy(strategy);
    if (what == busy::listener)
      target->listen_signal([held](const tick_result&) { held->pass(); });
    const auto run = target->backtest().background(request_of());
    held->wait_for_arrival();
    std::thread ending{[&] { target.reset(); }};
    held->open();
    ending.join();
    CHECK(run.finished());
  }
}

TEST_CASE("runtime: threads that used it may live on when it ends") {
  const watchdog guard{};
  gate held;
  auto target = std::make_unique<runtime>(quiet());
  add_basics(*target);
  std::thread user{[&] {
    heard_events heard{*target, {topic::done_backtest}};
    run_to_end(*target);
    CHECK(heard.all().size() == 1);
    CHECK(!target->backtest().get_data("BTC", "buyer").signal_list.empty());
    held.pass();
  }};
  held.wait_for_arrival();
  target.reset();
  held.open();
  user.join();
}

TEST_CASE("runtime: a retry that waits is cut short at the end") {
  const watchdog guard{};
  auto options = quiet();
  options.parameters.get_candles_retry_delay_ms = 3'600'000;
  tally fetched;
  run_handle run;
  {
    runtime target{options};
    add_basics(target);
    target.override_exchange("exchange", [&](exchange_schema& schema) {
      schema.get_candles = [&](const candle_query&) -> std::vector<candle> {
        fetched.add();
        throw std::runtime_error("not now");
      };
    });
    run = target.backtest().background(request_of());
    fetched.wait_for(1);
  }
  CHECK(run.finished());
}

TEST_CASE("runtime: two in one process do not notice each other") {
  const watchdog guard{};
  runtime left{quiet()}, right{quiet()};
  add_basics(left);
  add_basics(right, never);
  auto parameters = right.get_config();
  parameters.percent_fee = 0.05;
  right.set_config(parameters);
  heard_events from_left{left, {topic::signal_backtest, topic::done_backtest}},
      from_right{right, {topic::signal_backtest, topic::done_backtest}};
  auto run_left = left.backtest().background(request_of());
  auto run_right = right.backtest().background(request_of()); // the same names
  run_left.wait();
  run_right.wait();
  CHECK(run_left.summaries().front().counters.closed > 5);
  CHECK(run_right.summaries().front().counters.closed == 0);
  CHECK(from_left.of<done_event>().size() == 1);
  CHECK(from_right.of<done_event>().size() == 1);
  for (const auto& tick : from_right.of<tick_result>())
    CHECK(tick.action == tick_action::idle);
  CHECK(left.get_config().percent_fee == 0.1);
  CHECK(failure_of([&] {
          left.add_frame(frame_of(day_ms, "own"));
          right.get_frame("own");
        }).code == error_code::not_found);
}

TEST_CASE("runtime: inside a foreign actor system, which goes on when it ends") {
  const watchdog guard{};
  own_actor_system host{2};
  for (int i = 0; i < 20; ++i) {
    runtime first{host.get(), quiet()};
    {
      runtime second{host.get(), quiet()};
      add_basics(second);
      CHECK(&second.system() == &host.get());
      CHECK(run_to_end(second).outcome == run_outcome::completed);
    }
    add_basics(first);
    CHECK(run_to_end(first).counters.closed > 5);
  }
  bool answered = false;
  caf::scoped_actor self{host.get()};
  const auto census = std::make_shared<actor_census>();
  {
    runtime third{host.get(), quiet()};
    request(self, third.topics(), caf::infinite, flush_topics{})
        .receive([&](const topics_flushed&) { answered = true; }, [](const caf::error&) {});
  }
  CHECK(answered);
}

TEST_CASE("runtime: actors of a run and of listeners go when they are over") {
  const watchdog guard{};
  runtime target{quiet()};
  add_basics(target);
  target.override_strategy("buyer", [](strategy_schema& s) { s.callbacks.on_active = [](auto&) {}; });
  run_to_end(target); // the exchange client stays, for the next run
  target.flush();
  const auto census_settles_at = [&](std::size_t expected) {
    for (int i = 0; i < 100'000 && target.actor_count() != expected; ++i)
      target.flush();
    return target.actor_count();
  };
  const auto before = census_settles_at(12);
  CHECK(before == 12); // bus, reports, error log, six supervisors, an exchange client and its worker, a frame client
  for (int i = 0; i < 20; ++i) {
    auto handle = target.listen_signal([](const tick_result&) {});
    run_to_end(target, request_of({"A", "B"}));
    { auto dropped = target.backtest().run(request_of()); dropped.next(); }
    handle.unsubscribe();
  }
  CHECK(census_settles_at(before) == before);
}
