#include "tests/support/scenario.hpp"

#include <algorithm>

#include <doctest/doctest.h>

using namespace backtest;
using namespace backtest::testing;

namespace {

scenario flat_minutes(int count) {
  scenario market;
  market.prices(std::vector<std::optional<double>>(static_cast<std::size_t>(count), 100));
  return market;
}

/// A source that answers nothing and notes the minutes at which it is asked.
signal_function noting(std::vector<std::int64_t>& asked) {
  return [&asked](const run_context& context) -> std::optional<signal_request> {
    asked.push_back((context.when() - minute_zero) / minute_ms);
    return std::nullopt;
  };
}

using minutes = std::vector<std::int64_t>;

std::int64_t error_count(const std::vector<event>& events) {
  return std::count_if(events.begin(), events.end(),
                       [](const event& item) { return item.on == topic::error; });
}

} // namespace

TEST_CASE("lifecycle 9: every instant of the frame, inclusive of both ends") {
  auto market = flat_minutes(20);
  market.frame_minutes(2, 5);
  minutes asked;
  market.strategy(noting(asked));
  market.run();
  CHECK(asked == minutes{2, 3, 4, 5});
}

TEST_CASE("lifecycle 9: instants count from start, the last one is the last step <= end") {
  auto market = flat_minutes(30);
  market.frame_minutes(2, 13, interval::m5);
  minutes asked;
  market.strategy(noting(asked));
  market.run();
  CHECK(asked == minutes{2, 7, 12});
}

TEST_CASE("lifecycle 9: while a signal lives every minute is examined, whatever the frame's step") {
  auto market = flat_minutes(10);
  market.frame_minutes(0, 30, interval::m30);
  market.prices({100, 101, 102, 103, 90, 100});
  market.strategy(signals({{0, go_long(110, 90)}}));
  CHECK(market.facts(interest::of(tick_action::active) | transitions()) ==
        texts{"0 opened @100", "1 active 10/0", "2 active 20/0", "3 active 30/0",
              "4 closed stop_loss @90", "5 data_ended"});
}

TEST_CASE("lifecycle 9: after an end at t the next generation instant is the first frame instant "
          ">= t") {
  auto market = flat_minutes(20);
  market.frame_minutes(0, 15, interval::m5);
  minutes asked;
  const auto ends_after = [&](std::int64_t lifetime) {
    market.schemas.strategies.clear();
    asked.clear();
    market.strategy(
        [&asked, lifetime](const run_context& context) -> std::optional<signal_request> {
          asked.push_back((context.when() - minute_zero) / minute_ms);
          return context.when() == minute_zero ? std::optional{go_long(110, 90, lifetime)}
                                               : std::nullopt;
        });
    market.run();
    return asked;
  };
  CHECK(ends_after(4) == minutes{0, 5, 10, 15});
  CHECK(ends_after(5) == minutes{0, 5, 10, 15});
  CHECK(ends_after(6) == minutes{0, 10, 15});
}

TEST_CASE("lifecycle 9: a signal alive at the frame's end is followed to its own end") {
  auto market = flat_minutes(40);
  market.frame_minutes(0, 2);
  SUBCASE("pending") {
    market.strategy(signals({{2, go_long(110, 90, 30)}}));
    CHECK(market.facts() == texts{"2 opened @100", "32 closed time_expired @100"});
  }
  SUBCASE("scheduled, through its activation") {
    market.candles()[20] = closing_at(20, 95);
    market.strategy(signals({{2, entering_at(95, go_long(110, 90, 10))}}));
    CHECK(market.facts() ==
          texts{"2 scheduled @95", "20 opened @95", "30 closed time_expired @100"});
  }
  SUBCASE("scheduled, to its timeout; nothing is generated behind the frame") {
    market.parameters.schedule_await_minutes = 10;
    market.strategy([](const run_context&) -> std::optional<signal_request> {
      return entering_at(95, go_long(110, 90));
    });
    CHECK(market.facts() == texts{"0 scheduled @95", "10 cancelled timeout"});
  }
}

TEST_CASE("lifecycle 9: candles behind the frame are asked for while a signal lives, as they are "
          "needed") {
  auto market = flat_minutes(1);
  market.frame_minutes(1400, 1410);
  auto& strategy = market.strategy(signals({{1405, go_long(110, 90, 100)}}));
  market.parameters.schedule_await_minutes = 60;
  const auto minutes_until = [](std::int64_t end) {
    auto series = std::make_shared<candle_series>();
    series->symbol = "BTC";
    for (std::int64_t minute = 1300; minute <= end; ++minute)
      series->candles.push_back(closing_at(minute, 100));
    return loaded_series{std::move(series), at_minute(1299), at_minute(end)};
  };
  series_market candles{"BTC", 1, {}, {}};
  candles.provide(minutes_until(1410));
  run_plan plan = plan_for(
      std::make_shared<const run_identity>(run_identity{"BTC", "s", "paper", "frame", {}}),
      timeline_of(market.frame), candles.minutes(), rules_for(market.exchange, market.parameters));
  plan.candles_until = at_minute(1410);
  std::vector<event> events;
  const range_grant grant{end_of_time, transitions()};
  using range = std::pair<instant, instant>;
  SUBCASE("none without a signal") {
    strategy.get_signal = signals({});
    strategy_core core{strategy, plan, candles};
    CHECK(core.advance(grant, events) == pause_reason::finished);
  }
  SUBCASE("to the end of the day, then to where the signal has ended at the latest") {
    strategy_core core{strategy, plan, candles};
    REQUIRE(core.advance(grant, events) == pause_reason::ask_candles);
    CHECK(core.clock() == at_minute(1410));
    CHECK(core.wanted_candles() == range{at_minute(1410), at_minute(1440)});
    core.add_candles(minutes_until(1430)); // less than was asked for
    REQUIRE(core.advance(grant, events) == pause_reason::ask_candles);
    CHECK(core.wanted_candles() == range{at_minute(1430), at_minute(1440)});
    core.add_candles(minutes_until(1440));
    REQUIRE(core.advance(grant, events) == pause_reason::ask_candles);
    CHECK(core.wanted_candles() == range{at_minute(1440), at_minute(1505)});
    core.add_candles(minutes_until(1505));
    CHECK(core.advance(grant, events) == pause_reason::finished);
    CHECK(core.counters().closed == 1);
    CHECK(core.gaps() == 0);
  }
  SUBCASE("a scheduled one may open as late as its timeout") {
    strategy.get_signal = signals({{1405, entering_at(95, go_long(110, 90, 10))}});
    strategy_core core{strategy, plan, candles};
    REQUIRE(core.advance(grant, events) == pause_reason::ask_candles);
    core.add_candles(minutes_until(1440));
    REQUIRE(core.advance(grant, events) == pause_reason::ask_candles);
    CHECK(core.wanted_candles() == range{at_minute(1440), at_minute(1475)});
  }
  SUBCASE("there are no more") {
    strategy_core core{strategy, plan, candles};
    REQUIRE(core.advance(grant, events) == pause_reason::ask_candles);
    core.add_candles(minutes_until(1410));
    CHECK(core.advance(grant, events) == pause_reason::finished);
    CHECK(core.counters().unfinished == 1);
    CHECK(error_count(events) == 0);
  }
  SUBCASE("they cannot be had") {
    strategy_core core{strategy, plan, candles};
    REQUIRE(core.advance(grant, events) == pause_reason::ask_candles);
    core.candles_failed({error_code::fetch_failed, "no network"});
    CHECK(core.advance(grant, events) == pause_reason::finished);
    CHECK(core.counters().unfinished == 1);
    CHECK(error_count(events) == 1);
    const auto& problem = std::get<error_event>(events.back().payload);
    CHECK(problem.code == error_code::fetch_failed);
    CHECK(problem.timestamp == at_minute(1410));
    CHECK(problem.message == "candles of BTC behind 2024-01-01T23:30:00Z cannot be had, so signal "
                             "s:BTC:1704151500000 is not followed further: no network");
  }
}

TEST_CASE("lifecycle 9: what is alive when the candles end is counted as unfinished, no event") {
  auto market = flat_minutes(5);
  market.frame_minutes(0, 2);
  SUBCASE("pending") { market.strategy(signals({{1, go_long(110, 90)}})); }
  SUBCASE("scheduled") { market.strategy(signals({{1, entering_at(95, go_long(110, 90))}})); }
  CHECK(market.facts().size() == 1); // opened or scheduled, and nothing more
  const auto run = market.run().runs.at(0);
  CHECK(run.counters.unfinished == 1);
  CHECK(run.counters.closed == 0);
  REQUIRE(run.unfinished);
  CHECK(run.unfinished->id == "s:BTC:1704067260000");
}

TEST_CASE("lifecycle 9: frame start is a whole minute, else an error") {
  auto market = flat_minutes(5);
  market.strategy(signals({}));
  market.frame.start = at_minute(1) + 1;
  CHECK_THROWS_WITH_AS(
      market.run(), "frame frame: start 2024-01-01T00:01:00.001Z must be a whole minute", failure);
  market.frame_minutes(4, 3);
  CHECK_THROWS_AS(market.run(), failure);
}

TEST_CASE("lifecycle 9: a portfolio is one stream: instant, then strategy, then symbol, then "
          "emission") {
  auto market = flat_minutes(6);
  market.candles("ETH") = market.candles("BTC");
  market.strategy(signals({{0, go_long(110, 90, 2)}, {2, go_long(110, 90, 1)}}), "b");
  market.strategy(signals({{2, go_long(110, 90, 1)}}), "a");
  const texts expected{"b BTC 0 opened @100",
                       "b ETH 0 opened @100",
                       "a BTC 2 opened @100",
                       "a ETH 2 opened @100",
                       "b BTC 2 closed time_expired @100",
                       "b BTC 2 opened @100",
                       "b ETH 2 closed time_expired @100",
                       "b ETH 2 opened @100",
                       "a BTC 3 closed time_expired @100",
                       "a ETH 3 closed time_expired @100",
                       "b BTC 3 closed time_expired @100",
                       "b ETH 3 closed time_expired @100",
                       "a BTC 5 data_ended",
                       "a ETH 5 data_ended",
                       "b BTC 5 data_ended",
                       "b ETH 5 data_ended"};
  CHECK(market.facts() == expected);
  market.options.range = minute_ms;
  CHECK(market.facts() == expected);
  market.options.max_events = 1;
  CHECK(market.facts() == expected);
  CHECK(market.run().runs.size() == 4); // a status of its own per strategy and symbol
}

TEST_CASE("lifecycle 9: a source that fails ends that strategy and symbol as failed, the others "
          "finish") {
  for (const auto code : {error_code::fetch_failed, error_code::bad_candles}) {
    auto market = flat_minutes(4);
    market.frame_minutes(0, 2);
    market.strategy(signals({{1, go_long(110, 90, 1)}}), "a");
    // What asking for another symbol of a broken exchange throws.
    market.strategy(
        [code](const run_context&) -> std::optional<signal_request> {
          throw failure(code, "the exchange is down");
        },
        "b");
    CHECK(market.facts() == texts{"a 1 opened @100", "a 2 closed time_expired @100"});
    const auto result = market.run();
    CHECK_FALSE(result.runs[0].problem);
    REQUIRE(result.runs[1].problem);
    CHECK(*result.runs[1].problem == error{code, "the exchange is down"});
  }
}

TEST_CASE("lifecycle 9: a failed run does not hold up others that share its risk profile") {
  auto market = flat_minutes(4);
  market.frame_minutes(0, 3);
  market.schemas.risks.push_back(at_most(1));
  market
      .strategy(
          [](const run_context&) -> std::optional<signal_request> {
            throw failure(error_code::fetch_failed, "down");
          },
          "a")
      .risk_name = "cap";
  market.strategy(signals({{2, go_long(110, 90)}}), "b").risk_name = "cap";
  CHECK(market.facts() == texts{"b 2 opened @100"});
}

TEST_CASE("lifecycle 9: gaps, source errors and invalid signals never end a run") {
  scenario market;
  market.prices({100, {}, 100, 100, 100});
  market.frame_minutes(0, 4);
  market.strategy([](const run_context& context) -> std::optional<signal_request> {
    if (context.when() == at_minute(0))
      throw std::runtime_error("no");
    if (context.when() == at_minute(2))
      return go_long(90, 110);
    if (context.when() == at_minute(3))
      context.candles(interval::m1, 3);
    return go_long(110, 90);
  });
  CHECK(market.facts() == texts{"0 signal_source_failed", "1 data_gap", "2 invalid_signal",
                                "3 data_gap", "4 opened @100"});
}

TEST_CASE("lifecycle 9: gaps count to the frame's end, wherever the last slot of an idle run is") {
  std::vector<std::optional<double>> prices(30, 100);
  prices[8] = prices[22] = std::nullopt;
  scenario market;
  market.prices(prices);
  SUBCASE("slots of 15 minutes") {
    market.frame_minutes(0, 29);
    market.strategy(signals({})).size = interval::m15;
  }
  SUBCASE("the candles end between two instants") {
    market.frame_minutes(0, 60, interval::m30);
    market.strategy(signals({}));
  }
  for (const bool idle_is_told : {false, true}) {
    market.options.wanted = idle_is_told ? interest::everything() : transitions();
    CHECK(market.run().runs.at(0).gaps == 2);
  }
}

TEST_CASE("lifecycle 9: stop takes effect at the next instant: a pending signal is followed to its "
          "end") {
  auto market = flat_minutes(10);
  std::stop_source stop;
  market.options.stop = stop.get_token();
  market.strategy([](const run_context&) { return std::optional{go_long(110, 90, 4)}; })
      .callbacks.on_active = [&stop](const tick_result&) { stop.request_stop(); };
  CHECK(market.facts() == texts{"0 opened @100", "4 closed time_expired @100"});
}

TEST_CASE("lifecycle 9: stop takes effect at the next instant: a scheduled signal is cancelled") {
  auto market = flat_minutes(10);
  std::stop_source stop;
  market.options.stop = stop.get_token();
  market
      .strategy([](const run_context&) { return std::optional{entering_at(95, go_long(110, 90))}; })
      .callbacks.on_schedule = [&stop](const tick_result&) { stop.request_stop(); };
  CHECK(market.facts() == texts{"0 scheduled @95", "1 cancelled stopped"});
}

TEST_CASE("lifecycle 9: a stop that cuts nothing short leaves the run completed") {
  auto market = flat_minutes(10);
  market.frame_minutes(0, 0);
  std::stop_source stop;
  market.options.stop = stop.get_token();
  market.strategy(signals({{0, go_long(110, 90, 4)}})).callbacks.on_active =
      [&stop](const tick_result&) { stop.request_stop(); };
  const auto run = market.run().runs.at(0);
  CHECK(run.counters.closed == 1);
  CHECK_FALSE(run.cut_short);
}

TEST_CASE("lifecycle 9: callbacks that throw become error events, the run goes on") {
  auto market = flat_minutes(4);
  market.frame_minutes(0, 0);
  market.strategy(signals({{0, go_long(110, 90, 2)}})).callbacks.on_open = [](const tick_result&) {
    throw std::runtime_error("no");
  };
  CHECK(market.facts() ==
        texts{"0 callback_failed", "0 opened @100", "2 closed time_expired @100"});
}
