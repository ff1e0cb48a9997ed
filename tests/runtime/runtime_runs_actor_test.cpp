#include "tests/support/runtime_fixture.hpp"

using namespace backtest;
using namespace backtest::testing;

TEST_CASE("stream: nothing happens before the first next, and no names are taken") {
  const watchdog guard{};
  runtime target{quiet()};
  tally asked;
  add_basics(target, [&](const run_context& context) {
    asked.add();
    return buy(context);
  });
  auto stream = target.backtest().run(request_of());
  auto second = target.backtest().run(request_of());
  target.flush();
  CHECK(asked.count() == 0);
  CHECK(target.backtest().list().empty());
  CHECK(stream.summaries().empty());
  CHECK(stream.next().has_value());
  CHECK(failure_of([&] { second.next(); }).code == error_code::already_running);
  CHECK(failure_of([&] { target.backtest().background(request_of()); }).code ==
        error_code::already_running);
}

TEST_CASE("stream: the engine goes no further than the element asked for") {
  const watchdog guard{};
  runtime target{quiet()};
  tally asked;
  add_basics(target, [&](const run_context& context) {
    asked.add();
    return buy(context);
  });
  auto stream = target.backtest().run(request_of());
  for (int elements = 1; elements <= 8; ++elements) {
    REQUIRE(stream.next());
    target.flush();
    // This source is asked once per signal, and once more where the one before ended.
    CHECK(asked.count() <= elements + 1);
  }
}

TEST_CASE("stream: its elements are the closed and cancelled signals a background run tells") {
  const watchdog guard{};
  runtime target{quiet()};
  add_basics(target);
  target.add_strategy(strategy_of("limit", [](const run_context& context) {
    auto request = *buy(context);
    request.price_open = context.average_price() * 0.99;
    return std::optional{request};
  }));
  const auto request = request_of({"B", "A"}, {"limit", "buyer"});
  heard_events heard{target, {topic::signal_backtest}};
  target.backtest().background(request).wait();
  std::vector<tick_result> expected;
  for (const auto& tick : heard.of<tick_result>())
    if (tick.action == tick_action::closed || tick.action == tick_action::cancelled)
      expected.push_back(tick);
  std::vector<tick_result> elements;
  auto stream = target.backtest().run(request);
  while (auto element = stream.next())
    elements.push_back(*std::move(element));
  CHECK(elements.size() > 20);
  CHECK(elements == expected);
  CHECK(!stream.next()); // over is over
  CHECK(stream.summaries().size() == 4);
}

TEST_CASE("stream: letting go of it ends the run at once and frees the names") {
  const watchdog guard{};
  runtime target{quiet()};
  add_basics(target, buy, 60 * day_ms);
  heard_events done{target, {topic::done_backtest, topic::exit}};
  for (int i = 0; i < 10; ++i) {
    auto stream = target.backtest().run(request_of({"A", "B"}));
    for (int taken = 0; taken < i; ++taken)
      REQUIRE(stream.next());
  }
  CHECK(done.all().empty());
  target.override_frame("frame", [](frame_schema& frame) { frame = frame_of(day_ms); });
  CHECK(run_to_end(target).outcome == run_outcome::completed);
}

TEST_CASE("stream: a run that fails throws its reason, without exit or done") {
  const watchdog guard{};
  runtime target{quiet()};
  add_basics(target);
  target.override_exchange("exchange", [](exchange_schema& schema) {
    schema.get_candles = [](const candle_query&) -> std::vector<candle> {
      throw std::runtime_error("closed for ever");
    };
  });
  heard_events told{target, {topic::done_backtest, topic::exit}};
  auto stream = target.backtest().run(request_of());
  const auto reason = failure_of([&] { stream.next(); });
  CHECK(reason.code == error_code::fetch_failed);
  CHECK(reason.message.find("closed for ever") != std::string::npos);
  CHECK(told.all().empty());
  CHECK(target.backtest().status("BTC", "buyer").state == run_state::rejected);
}

TEST_CASE("stream: stop follows what is open to its end") {
  const watchdog guard{};
  runtime target{quiet()};
  add_basics(target, buy, 60 * day_ms);
  auto stream = target.backtest().run(request_of());
  REQUIRE(stream.next());
  stream.stop();
  int more = 0;
  while (stream.next())
    ++more;
  CHECK(more <= 1);
  CHECK(stream.summaries().front().outcome == run_outcome::stopped);
}

TEST_CASE("background: a name runs once at a time, and again after success and failure") {
  const watchdog guard{};
  runtime target{quiet()};
  gate held;
  tally asked;
  add_basics(target, [&](const run_context& context) -> std::optional<signal_request> {
    asked.add();
    held.pass();
    return buy(context);
  });
  auto first = target.backtest().background(request_of({"A", "B"}));
  held.wait_for_arrival();
  const auto reason = failure_of([&] { target.backtest().background(request_of({"C", "B"})); });
  CHECK(reason.code == error_code::already_running);
  CHECK(reason.message == "strategy buyer on B is already running in this runtime");
  CHECK(target.backtest().list().size() == 2); // C was not begun either
  CHECK(target.backtest().status("A", "buyer").is_running());
  CHECK(target.backtest().status("C", "buyer").state == run_state::ready);
  held.open();
  first.wait();
  CHECK(run_to_end(target, request_of({"B"})).outcome == run_outcome::completed);
  const auto working = target.get_exchange("exchange").get_candles;
  target.override_exchange("exchange", [](exchange_schema& schema) {
    schema.get_candles = [](const candle_query&) -> std::vector<candle> { throw 1; };
  });
  heard_events told{target, {topic::exit, topic::done_backtest}};
  auto failed = run_to_end(target, request_of({"B"}));
  CHECK(failed.outcome == run_outcome::failed);
  REQUIRE(failed.problem);
  CHECK(failed.problem->code == error_code::fetch_failed);
  REQUIRE(told.all().size() == 2);
  CHECK(told.all()[0].on == topic::exit);
  CHECK(told.of<done_event>().front().outcome == run_outcome::failed);
  target.override_exchange("exchange",
                           [&](exchange_schema& schema) { schema.get_candles = working; });
  CHECK(run_to_end(target, request_of({"B"})).outcome == run_outcome::completed);
}

TEST_CASE("background: stop follows a pending signal, cancels a scheduled one, generates nothing") {
  const watchdog guard{};
  for (const bool scheduled : {false, true}) {
    CAPTURE(scheduled);
    runtime target{quiet()};
    gate held;
    tally asked;
    add_basics(target, [&](const run_context& context) -> std::optional<signal_request> {
      auto request = *buy(context);
      if (scheduled)
        request.price_open = context.average_price() * 0.985;
      asked.add();
      return request;
    });
    target.override_strategy("buyer", [&](strategy_schema& s) {
      const auto hold = [&](const tick_result&) { held.pass(); };
      s.callbacks.on_open = hold;
      s.callbacks.on_schedule = hold;
    });
    heard_events heard{target, {topic::signal_backtest, topic::done_backtest}};
    auto run = target.backtest().background(request_of());
    held.wait_for_arrival();
    target.backtest().stop("BTC", "buyer");
    target.backtest().stop("ETH", "buyer"); // does not run
    held.open();
    run.wait();
    CHECK(asked.count() == 1);
    const auto ticks = heard.of<tick_result>();
    REQUIRE(!ticks.empty());
    if (scheduled) {
      CHECK(ticks.back().action == tick_action::cancelled);
      CHECK(ticks.back().cancelled_by == cancel_reason::stopped);
    } else {
      CHECK(ticks.back().action == tick_action::closed);
    }
    CHECK(heard.of<done_event>().front().outcome == run_outcome::stopped);
    CHECK(target.backtest().status("BTC", "buyer").state == run_state::fulfilled);
  }
}

TEST_CASE("background: cancel is idempotent, a stale handle does nothing to a newer run") {
  const watchdog guard{};
  runtime target{quiet()};
  gate held;
  tally asked;
  add_basics(target, [&](const run_context& context) {
    if (asked.add() == 1)
      held.pass();
    return buy(context);
  });
  auto first = target.backtest().background(request_of());
  held.wait_for_arrival();
  first.cancel();
  first.cancel();
  held.open();
  first.wait();
  CHECK(first.summaries().front().outcome == run_outcome::stopped);
  auto second = target.backtest().background(request_of());
  first.cancel();
  second.wait();
  CHECK(second.summaries().front().outcome == run_outcome::completed);
  second.cancel();
  CHECK(second.summaries().front().outcome == run_outcome::completed);
  target.backtest().stop("BTC", "buyer"); // nothing runs
  CHECK(run_to_end(target).outcome == run_outcome::completed);
  CHECK(first.id() != second.id());
}

TEST_CASE("reports: a new run begins them anew, other runs keep theirs") {
  const watchdog guard{};
  runtime target{quiet()};
  add_basics(target);
  CHECK(target.backtest().get_data("BTC", "buyer").signal_list.empty());
  CHECK(target.backtest().list().empty()); // asking makes no entry
  const auto closed = static_cast<std::size_t>(run_to_end(target).counters.closed);
  run_to_end(target, request_of({"ETH"}));
  CHECK(target.backtest().get_data("BTC", "buyer").signal_list.size() == closed);
  const auto report = target.backtest().get_report("BTC", "buyer");
  run_to_end(target);
  CHECK(target.backtest().get_data("BTC", "buyer").signal_list.size() == closed);
  CHECK(target.backtest().get_report("BTC", "buyer") == report);
  CHECK(target.backtest().get_data("ETH", "buyer").signal_list.size() == closed);
  const auto all = target.backtest().list();
  REQUIRE(all.size() == 2);
  CHECK(all[0].identity.symbol == "ETH"); // by the start of the latest run
  CHECK(all[1].identity.symbol == "BTC");
}

TEST_CASE("config: a run under way keeps its snapshot, its exchange and its schemas") {
  const watchdog guard{};
  runtime target{quiet()};
  gate held;
  add_basics(target, [&](const run_context& context) {
    if (context.when() == first_instant)
      held.pass();
    context.candles_present(interval::h1, 3); // asks the exchange client again
    return buy(context);
  });
  heard_events heard{target, {topic::signal_backtest}};
  runtime untouched{quiet()};
  add_basics(untouched);
  const auto reference = run_to_end(untouched);
  auto run = target.backtest().background(request_of());
  held.wait_for_arrival();
  auto parameters = target.get_config();
  parameters.percent_fee = 0.01;
  target.set_config(parameters);
  target.override_exchange("exchange", [](exchange_schema& s) { s.get_candles = [](auto&) {
      return std::vector<candle>{}; }; });
  target.override_strategy("buyer", [](strategy_schema& s) { s.get_signal = never; });
  target.override_frame("frame", [](frame_schema& f) { f = frame_of(minute_ms); });
  held.open();
  run.wait();
  const auto summary = run.summaries().front();
  CHECK(summary.outcome == run_outcome::completed);
  CHECK(summary.counters == reference.counters);
  CHECK(run_to_end(target).counters.opened == 0);
}
