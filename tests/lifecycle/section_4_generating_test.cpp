#include "tests/support/scenario.hpp"

#include <doctest/doctest.h>

#include <stdexcept>

using namespace backtest;
using namespace backtest::testing;

namespace {

scenario flat_market(int length = 10) {
  scenario market;
  market.prices(std::vector<std::optional<double>>(static_cast<std::size_t>(length), 100));
  market.frame_minutes(0, length - 1);
  return market;
}

/// A core of one strategy that is driven by hand, for what the portfolio driver has no option for.
struct core_by_hand {
  scenario market = flat_market();
  series_market candles{"BTC", 1, {}, {}};
  run_plan plan;
  std::vector<event> events;

  core_by_hand() {
    plan.identity =
        std::make_shared<const run_identity>(run_identity{"BTC", "s", "paper", "frame", {}});
    plan.frame = timeline_of(market.frame);
    plan.data_end = at_minute(9);
    plan.rules = rules_for(market.exchange, market.parameters);
    const candle_series series{"BTC", interval::m1, market.candles()};
    candles.provide({std::make_shared<const candle_series>(series), INT64_MIN, INT64_MAX});
  }
  range_grant everything() const { return {end_of_time, transitions()}; }
};

} // namespace

TEST_CASE("lifecycle 4: a strategy generates at most once per slot, floor(when / interval), UTC") {
  scenario market = flat_market(31);
  market.frame_minutes(7, 30);
  std::vector<std::int64_t> asked;
  market
      .strategy([&asked](const run_context& context) -> std::optional<signal_request> {
        asked.push_back((context.when() - minute_zero) / minute_ms);
        return std::nullopt;
      })
      .size = interval::m15;
  market.run();
  CHECK(asked == std::vector<std::int64_t>{7, 15, 30}); // the slot of minute 7 began at 0
}

TEST_CASE("lifecycle 4: the slot is used up whatever get_signal answers") {
  auto market = flat_market(3);
  int calls = 0;
  auto& strategy = market.strategy({});
  strategy.size = interval::m3;
  market.frame_minutes(0, 2);
  SUBCASE("nothing") {
    strategy.get_signal = [&](const run_context&) -> std::optional<signal_request> {
      ++calls;
      return std::nullopt;
    };
  }
  SUBCASE("an invalid signal") {
    strategy.get_signal = [&](const run_context&) -> std::optional<signal_request> {
      ++calls;
      return go_long(90, 110);
    };
  }
  SUBCASE("an exception") {
    strategy.get_signal = [&](const run_context&) -> std::optional<signal_request> {
      ++calls;
      throw std::runtime_error("no idea");
    };
  }
  SUBCASE("a signal that ends within the slot") {
    strategy.get_signal = [&](const run_context&) -> std::optional<signal_request> {
      ++calls;
      return go_long(110, 90, 1);
    };
  }
  market.run();
  CHECK(calls == 1);
}

TEST_CASE("lifecycle 4: slots are only reached while idle") {
  auto market = flat_market(6);
  std::vector<std::int64_t> asked;
  market.strategy([&asked](const run_context& context) -> std::optional<signal_request> {
    asked.push_back((context.when() - minute_zero) / minute_ms);
    return go_long(110, 90, 2);
  });
  market.run();
  CHECK(asked == std::vector<std::int64_t>{0, 2, 4});
}

TEST_CASE("lifecycle 4: get_signal is told symbol, names, instant and mode") {
  auto market = flat_market(1);
  market.strategy([](const run_context& context) -> std::optional<signal_request> {
    CHECK(context.symbol() == "BTC");
    CHECK(context.strategy_name() == "s");
    CHECK(context.exchange_name() == "paper");
    CHECK(context.frame_name() == "frame");
    CHECK(context.when() == at_minute(0));
    CHECK(context.mode() == run_mode::backtest);
    return std::nullopt;
  });
  CHECK(market.facts() == texts{});
}

TEST_CASE("lifecycle 4: a source that asks for older candles than were loaded takes none from the "
          "run") {
  core_by_hand hand;
  std::weak_ptr<const candle_series> loaded_first;
  series_market market{
      "BTC", 1, {}, [&hand](const std::string& symbol, interval, instant from, instant until) {
        candle_series more{symbol, interval::m1, hand.market.candles()};
        more.candles.insert(more.candles.begin(), closing_at(-1, 100));
        return loaded_series{std::make_shared<const candle_series>(more), from, until};
      }};
  {
    const auto minutes = std::make_shared<const candle_series>(
        candle_series{"BTC", interval::m1, hand.market.candles()});
    loaded_first = minutes;
    market.provide({minutes, at_minute(-1), at_minute(9)});
  }
  strategy_schema strategy;
  strategy.strategy_name = "s";
  strategy.get_signal = [](const run_context& context) -> std::optional<signal_request> {
    if (context.when() == at_minute(0))
      context.candles(interval::m1, 2);
    return context.when() == at_minute(5) ? std::optional{go_long(110, 90, 2)} : std::nullopt;
  };
  strategy_core core{strategy, hand.plan, market};
  core.advance(hand.everything(), hand.events);
  CHECK_FALSE(loaded_first.expired()); // the run still reads them
  CHECK(hand.events.size() == 2);
}

TEST_CASE("lifecycle 4: minute_estimated_time defaults to max_signal_lifetime_minutes") {
  auto market = flat_market(8);
  market.frame_minutes(0, 0);
  market.parameters.max_signal_lifetime_minutes = 5;
  auto request = go_long(110, 90);
  request.minute_estimated_time.reset();
  market.strategy(signals({{0, request}}));
  CHECK(market.facts() == texts{"0 opened @100", "5 closed time_expired @100"});
}

TEST_CASE("lifecycle 4: validate first, then ask risk, then become pending or scheduled") {
  auto market = flat_market(3);
  int questions = 0;
  risk_schema counting;
  counting.risk_name = "counting";
  counting.validations.push_back({[&](const risk_question&) {
                                    ++questions;
                                    return std::optional<std::string>{};
                                  },
                                  ""});
  market.schemas.risks.push_back(counting);
  market.frame_minutes(0, 1);
  market.strategy(signals({{0, go_long(90, 110)}, {1, go_long(110, 90)}})).risk_name = "counting";
  CHECK(market.facts() == texts{"0 invalid_signal", "1 opened @100"});
  CHECK(questions == 1);
}

TEST_CASE("lifecycle 4: throwing: an error event naming strategy, symbol, instant and cause, the "
          "run goes on") {
  auto market = flat_market(2);
  market.strategy([](const run_context& context) -> std::optional<signal_request> {
    if (context.when() == at_minute(0))
      throw std::runtime_error("model not loaded");
    return go_long(110, 90);
  });
  CHECK(market.facts() == texts{"0 signal_source_failed", "1 opened @100"});
  const auto problem = market.first_error();
  CHECK(problem.message == "model not loaded");
  CHECK(problem.run->strategy_name == "s");
  CHECK(problem.run->symbol == "BTC");
  CHECK(problem.timestamp == at_minute(0));
  market.strategy([](const run_context&) -> std::optional<signal_request> { throw 7; });
  market.schemas.strategies.erase(market.schemas.strategies.begin());
  CHECK(market.facts() == texts{"0 signal_source_failed", "1 signal_source_failed"});
}

TEST_CASE("lifecycle 4: throwing or invalid: result idle") {
  auto market = flat_market(1);
  SUBCASE("throwing") {
    market.strategy([](const run_context&) -> std::optional<signal_request> {
      throw std::runtime_error("no");
    });
    CHECK(market.facts(interest::everything()) == texts{"0 signal_source_failed", "0 idle @100"});
  }
  SUBCASE("invalid") {
    market.strategy(signals({{0, go_long(90, 110)}}));
    CHECK(market.facts(interest::everything()) == texts{"0 invalid_signal", "0 idle @100"});
  }
}

TEST_CASE("lifecycle 4: invalid: an error event naming strategy, symbol, instant and cause") {
  auto market = flat_market(1);
  market.strategy(signals({{0, go_long(99, 90)}}));
  const auto problem = market.first_error();
  CHECK(problem.code == error_code::invalid_signal);
  CHECK(problem.timestamp == at_minute(0));
  CHECK(problem.run->strategy_name == "s");
  CHECK(problem.run->symbol == "BTC");
  CHECK(problem.message.find("price_take_profit 99 must be > price_open 100") != std::string::npos);
}

TEST_CASE("lifecycle 4: lateness is noticed when the function returns, in a backtest it fails the "
          "run") {
  core_by_hand hand;
  const auto clock = std::make_shared<std::atomic<std::int64_t>>(0);
  std::int64_t takes = 180'000;
  hand.plan.steady_clock = clock;
  strategy_schema strategy;
  strategy.strategy_name = "s";
  strategy.get_signal = [&](const run_context&) -> std::optional<signal_request> {
    *clock += takes;
    return go_long(110, 90);
  };
  SUBCASE("180 s are in time") {
    strategy_core core{strategy, hand.plan, hand.candles};
    CHECK(core.advance(hand.everything(), hand.events) == pause_reason::range_done);
    REQUIRE(hand.events.size() == 1);
    CHECK(std::get<tick_result>(hand.events[0].payload).action == tick_action::opened);
  }
  SUBCASE("more are not") {
    takes = 180'001;
    strategy_core core{strategy, hand.plan, hand.candles};
    CHECK(core.advance(hand.everything(), hand.events) == pause_reason::failed);
    CHECK(core.reason().code == error_code::signal_timeout);
    CHECK(core.reason().message.find("get_signal of s on BTC at 2024-01-01T00:00:00Z") !=
          std::string::npos);
    CHECK(core.clock() == end_of_time);
    CHECK(hand.events.empty());
  }
}

TEST_CASE("lifecycle 4: an actor source: the core pauses, a late one fails a backtest, a failing "
          "one is an error event") {
  core_by_hand hand;
  hand.plan.source_is_actor = true;
  strategy_schema strategy;
  strategy.strategy_name = "s";
  strategy_core core{strategy, hand.plan, hand.candles};
  CHECK(core.advance(hand.everything(), hand.events) == pause_reason::ask_source);
  CHECK(core.clock() == at_minute(0));
  CHECK(core.advance(hand.everything(), hand.events) == pause_reason::ask_source); // no answer yet
  SUBCASE("an answer") {
    core.answer(std::optional{go_long(110, 90)});
    CHECK(core.advance(hand.everything(), hand.events) == pause_reason::finished);
    REQUIRE(hand.events.size() == 1);
    CHECK(core.machine().state() == signal_state::pending);
  }
  SUBCASE("nothing") {
    core.answer(std::optional<signal_request>{});
    CHECK(core.advance(hand.everything(), hand.events) == pause_reason::ask_source);
    CHECK(core.clock() == at_minute(1));
    CHECK(hand.events.empty());
  }
  SUBCASE("late") {
    core.source_failed({error_code::signal_timeout, "too late"});
    CHECK(core.advance(hand.everything(), hand.events) == pause_reason::failed);
    CHECK(core.reason().code == error_code::signal_timeout);
  }
  SUBCASE("failing") {
    core.source_failed({error_code::signal_source_failed, "no model"});
    CHECK(core.advance(hand.everything(), hand.events) == pause_reason::ask_source);
    CHECK(core.clock() == at_minute(1));
    REQUIRE(hand.events.size() == 1);
    CHECK(std::get<error_event>(hand.events[0].payload).message == "no model");
  }
}

TEST_CASE("lifecycle 4: a signal from a schedule keeps is_scheduled, pending_at is absent until it "
          "opened") {
  scenario market;
  market.frame_minutes(0, 0);
  market.prices({100, 99, 95, 110});
  market.strategy(signals({{0, entering_at(95, go_long(110, 90))}}));
  CHECK_FALSE(market.ticks(tick_action::scheduled).at(0).signal->pending_at);
  CHECK_FALSE(market.ticks(tick_action::waiting).at(0).signal->pending_at);
  for (const auto action : {tick_action::opened, tick_action::closed}) {
    const auto tick = market.ticks(action).at(0);
    CHECK(tick.signal->is_scheduled);
    CHECK(tick.signal->pending_at == at_minute(2));
    CHECK(tick.signal->scheduled_at == at_minute(0));
  }
}

TEST_CASE("lifecycle 4: missing id: a fresh one, derived from strategy, symbol and instant") {
  auto market = flat_market(4);
  market.candles("ETH") = market.candles("BTC");
  auto blank = go_long(110, 90, 1);
  blank.id = "";
  market.strategy(signals({{0, go_long(110, 90, 1)}, {1, blank}}), "a");
  market.strategy(signals({{0, go_long(110, 90, 1)}}), "b");
  std::vector<std::string> ids;
  for (const auto& tick : market.ticks(tick_action::opened))
    ids.push_back(tick.signal->id);
  REQUIRE(ids.size() == 6);
  std::vector<std::string> again;
  for (const auto& tick : market.ticks(tick_action::opened))
    again.push_back(tick.signal->id);
  CHECK(ids == again);
  std::sort(ids.begin(), ids.end());
  CHECK(std::unique(ids.begin(), ids.end()) == ids.end());
  CHECK(ids.front() != "");
}

TEST_CASE("lifecycle 4: a given id is kept") {
  auto market = flat_market(1);
  auto request = go_long(110, 90);
  request.id = "mine";
  market.strategy(signals({{0, request}}));
  CHECK(market.ticks(tick_action::opened).at(0).signal->id == "mine");
}

TEST_CASE("lifecycle 4: a refused signal carries its id too, given, blank or missing") {
  for (const auto& id : {std::optional<std::string>{}, std::optional<std::string>{""}}) {
    auto market = flat_market(1);
    market.schemas.risks.push_back(at_most(0));
    auto request = go_long(110, 90);
    request.id = id;
    market.strategy(signals({{0, request}})).risk_name = "cap";
    const auto refused = std::get<risk_event>(market.run().events.at(0).payload);
    REQUIRE(refused.pending_signal.id);
    CHECK(refused.pending_signal.id == "s:BTC:1704067200000");
  }
}

TEST_CASE("lifecycle 4: note is stored as plain text") {
  auto market = flat_market(1);
  auto request = go_long(110, 90);
  request.note = "**breakout** above `100`";
  market.strategy(signals({{0, request}}));
  CHECK(market.ticks(tick_action::opened).at(0).signal->note == "breakout above 100");
}

TEST_CASE("lifecycle 4: stopped while generating: the answer is dropped") {
  auto market = flat_market(5);
  std::stop_source stop;
  market.options.stop = stop.get_token();
  SUBCASE("a signal") {
    market.strategy([&stop](const run_context&) -> std::optional<signal_request> {
      stop.request_stop();
      return go_long(110, 90);
    });
  }
  SUBCASE("a schedule") {
    market.strategy([&stop](const run_context&) -> std::optional<signal_request> {
      stop.request_stop();
      return entering_at(95, go_long(110, 90));
    });
  }
  const auto result = market.run();
  REQUIRE(result.events.size() == 1);
  CHECK(std::get<tick_result>(result.events[0].payload).action == tick_action::idle);
  CHECK(result.runs[0].cut_short);
  CHECK(result.runs[0].counters.opened == 0);
}

TEST_CASE("lifecycle 4: stopped while an actor source generates: the answer is dropped") {
  core_by_hand hand;
  std::stop_source stop;
  hand.plan.source_is_actor = true;
  hand.plan.stop = stop.get_token();
  strategy_schema strategy;
  strategy.strategy_name = "s";
  strategy_core core{strategy, hand.plan, hand.candles};
  CHECK(core.advance(hand.everything(), hand.events) == pause_reason::ask_source);
  stop.request_stop();
  core.answer(std::optional{go_long(110, 90)});
  CHECK(core.advance(hand.everything(), hand.events) == pause_reason::finished);
  CHECK(hand.events.empty());
  CHECK(core.was_cut_short());
}
