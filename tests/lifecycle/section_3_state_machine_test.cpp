#include "tests/support/scenario.hpp"

#include <doctest/doctest.h>

#include <array>

using namespace backtest;
using namespace backtest::testing;

namespace {

texts facts_of(const signal_request& request, const std::vector<std::optional<double>>& by_minute) {
  return one_signal(request, by_minute).facts();
}

const signal_request long_at_95 = entering_at(95, go_long(110, 90));
const signal_request short_at_105 = entering_at(105, go_short(90, 110));

/// A profile that refuses from the second question on: the creation passes, the activation not.
risk_schema refuses_later() {
  risk_schema schema;
  schema.risk_name = "later";
  schema.validations.push_back({[](const risk_question& question) {
                                  return question.timestamp == minute_zero
                                             ? std::nullopt
                                             : std::optional<std::string>{"too late"};
                                },
                                ""});
  return schema;
}

} // namespace

// -- the table, row by row
// -------------------------------------------------------------------------

TEST_CASE("lifecycle 3: scheduled, stop loss crossed -> cancelled price_reject") {
  CHECK(facts_of(long_at_95, {100, 96, 90}) ==
        texts{"0 scheduled @95", "2 cancelled price_reject"});
  CHECK(facts_of(long_at_95, {100, 89}) == texts{"0 scheduled @95", "1 cancelled price_reject"});
  CHECK(facts_of(short_at_105, {100, 104, 110}) ==
        texts{"0 scheduled @105", "2 cancelled price_reject"});
  CHECK(facts_of(short_at_105, {100, 111}) ==
        texts{"0 scheduled @105", "1 cancelled price_reject"});
}

TEST_CASE("lifecycle 3: scheduled, stop loss is examined before the entry, which lies before it") {
  CHECK(facts_of(long_at_95, {100, 90}) == texts{"0 scheduled @95", "1 cancelled price_reject"});
  CHECK(facts_of(long_at_95, {100, 90.01}) == texts{"0 scheduled @95", "1 opened @95"});
}

TEST_CASE("lifecycle 3: scheduled, entry reached and risk allows -> opened at price_open") {
  CHECK(facts_of(long_at_95, {100, 95.01, 95}) == texts{"0 scheduled @95", "2 opened @95"});
  CHECK(facts_of(long_at_95, {100, 94}) == texts{"0 scheduled @95", "1 opened @95"});
  CHECK(facts_of(short_at_105, {100, 104.99, 105}) == texts{"0 scheduled @105", "2 opened @105"});
  CHECK(facts_of(short_at_105, {100, 106}) == texts{"0 scheduled @105", "1 opened @105"});
  const auto opened = one_signal(long_at_95, {100, 96, 94}).ticks(tick_action::opened).at(0);
  CHECK(opened.signal->pending_at == at_minute(2));
  CHECK(opened.signal->scheduled_at == at_minute(0));
  CHECK(opened.signal->price_open == 95);
}

TEST_CASE("lifecycle 3: scheduled, entry reached and risk rejects -> risk, cancelled risk_reject") {
  auto market = one_signal(long_at_95, {100, 96, 94, 94});
  market.schemas.risks.push_back(refuses_later());
  market.schemas.strategies[0].risk_name = "later";
  CHECK(market.facts() ==
        texts{"0 scheduled @95", "2 risk later: too late (0)", "2 cancelled risk_reject"});
}

TEST_CASE("lifecycle 3: scheduled, schedule_await_minutes over -> cancelled timeout") {
  auto market = one_signal(long_at_95, {100, 100, 100, 100, 95});
  market.parameters.schedule_await_minutes = 3;
  CHECK(market.facts() == texts{"0 scheduled @95", "3 cancelled timeout"});
  market.parameters.schedule_await_minutes = 4; // prices come first
  CHECK(market.facts() == texts{"0 scheduled @95", "4 opened @95"});
}

TEST_CASE("lifecycle 3: schedule_await_minutes is 120 by default") {
  std::vector<std::optional<double>> flat(130, 100);
  CHECK(facts_of(long_at_95, flat) == texts{"0 scheduled @95", "120 cancelled timeout"});
}

TEST_CASE("lifecycle 3: scheduled, stop was called -> cancelled stopped") {
  std::stop_source stop;
  scenario market;
  market.prices({100, 100, 100, 100});
  market.options.stop = stop.get_token();
  auto& strategy = market.strategy(signals({{0, long_at_95}}));
  strategy.callbacks.on_tick = [&stop](const tick_result& tick) {
    if (tick.timestamp == at_minute(2))
      stop.request_stop();
  };
  CHECK(market.facts() == texts{"0 scheduled @95", "3 cancelled stopped"});
  stop = std::stop_source{};
  market.options.stop = stop.get_token();
  CHECK(market.run().runs[0].cut_short);
}

TEST_CASE("lifecycle 3: scheduled and stopped, but entry, stop loss and timeout come first") {
  std::stop_source stop;
  scenario market;
  market.options.stop = stop.get_token();
  market.parameters.schedule_await_minutes = 2;
  market.strategy(signals({{0, long_at_95}})).callbacks.on_schedule = [&stop](const tick_result&) {
    stop.request_stop();
  };
  market.frame_minutes(0, 0);
  SUBCASE("entry") {
    market.prices({100, 95});
    CHECK(market.facts() == texts{"0 scheduled @95", "1 opened @95"});
  }
  SUBCASE("stop loss") {
    market.prices({100, 90});
    CHECK(market.facts() == texts{"0 scheduled @95", "1 cancelled price_reject"});
  }
  SUBCASE("timeout") {
    market.parameters.schedule_await_minutes = 1;
    market.prices({100, 100});
    CHECK(market.facts() == texts{"0 scheduled @95", "1 cancelled timeout"});
  }
}

TEST_CASE("lifecycle 3: scheduled, otherwise -> waiting, 0 % / 0 %") {
  auto market = one_signal(long_at_95, {100, 99, 96});
  CHECK(market.facts(interest::everything()) ==
        texts{"0 scheduled @95", "1 waiting @99", "2 waiting @96"});
  for (const auto& tick : market.ticks(tick_action::waiting)) {
    CHECK(tick.percent_tp == 0);
    CHECK(tick.percent_sl == 0);
    CHECK_FALSE(tick.signal->pending_at);
  }
}

TEST_CASE("lifecycle 3: pending, take profit reached -> closed at exactly price_take_profit") {
  CHECK(facts_of(go_long(110, 90), {100, 109.99, 113}) ==
        texts{"0 opened @100", "2 closed take_profit @110"});
  CHECK(facts_of(go_long(110, 90), {100, 110}) ==
        texts{"0 opened @100", "1 closed take_profit @110"});
  CHECK(facts_of(go_short(90, 110), {100, 90.01, 87}) ==
        texts{"0 opened @100", "2 closed take_profit @90"});
  CHECK(facts_of(go_short(90, 110), {100, 90}) ==
        texts{"0 opened @100", "1 closed take_profit @90"});
}

TEST_CASE("lifecycle 3: pending, stop loss reached -> closed at exactly price_stop_loss") {
  CHECK(facts_of(go_long(110, 90), {100, 90.01, 85}) ==
        texts{"0 opened @100", "2 closed stop_loss @90"});
  CHECK(facts_of(go_long(110, 90), {100, 90}) == texts{"0 opened @100", "1 closed stop_loss @90"});
  CHECK(facts_of(go_short(90, 110), {100, 109.99, 115}) ==
        texts{"0 opened @100", "2 closed stop_loss @110"});
  CHECK(facts_of(go_short(90, 110), {100, 110}) ==
        texts{"0 opened @100", "1 closed stop_loss @110"});
}

TEST_CASE("lifecycle 3: pending, lifetime over -> closed time_expired at the price") {
  CHECK(facts_of(go_long(110, 90, 3), {100, 101, 102, 103, 104}) ==
        texts{"0 opened @100", "3 closed time_expired @103"});
  CHECK(facts_of(go_short(90, 110, 1), {100, 101}) ==
        texts{"0 opened @100", "1 closed time_expired @101"});
}

TEST_CASE("lifecycle 3: pending, lifetime counts from pending_at, not from scheduled_at") {
  CHECK(facts_of(entering_at(95, go_long(110, 90, 2)), {100, 99, 95, 96, 97}) ==
        texts{"0 scheduled @95", "2 opened @95", "4 closed time_expired @97"});
}

TEST_CASE("lifecycle 3: pending, otherwise -> active with percent_tp and percent_sl") {
  CHECK(
      one_signal(go_long(110, 80), {100, 104, 95, 100}).facts(interest::of(tick_action::active)) ==
      texts{"1 active 40/0", "2 active 0/25", "3 active 0/0"});
  CHECK(
      one_signal(go_short(80, 110), {100, 104, 95, 100}).facts(interest::of(tick_action::active)) ==
      texts{"1 active 0/40", "2 active 25/0", "3 active 0/0"});
}

TEST_CASE("lifecycle 3: idle, stopped -> idle: no more signals") {
  std::stop_source stop;
  scenario market;
  market.prices({100, 100, 100, 100});
  market.options.stop = stop.get_token();
  int calls = 0;
  market.strategy([&](const run_context& context) -> std::optional<signal_request> {
    ++calls;
    if (context.when() == at_minute(1))
      stop.request_stop();
    return std::nullopt;
  });
  CHECK(market.facts() == texts{});
  CHECK(calls == 2);
}

TEST_CASE("lifecycle 3: idle, this generation slot was already used -> idle") {
  scenario market;
  market.prices({100, 100, 100, 100, 100, 100, 100, 100});
  market.frame_minutes(1, 7);
  std::vector<std::int64_t> asked;
  market
      .strategy([&asked](const run_context& context) -> std::optional<signal_request> {
        asked.push_back((context.when() - minute_zero) / minute_ms);
        return std::nullopt;
      })
      .size = interval::m3;
  CHECK(market.facts(interest::everything()) == texts{"1 idle @100", "2 idle @100", "3 idle @100",
                                                      "4 idle @100", "5 idle @100", "6 idle @100",
                                                      "7 idle @100"});
  CHECK(asked == std::vector<std::int64_t>{1, 3, 6});
}

TEST_CASE("lifecycle 3: idle, get_signal gives nothing -> idle") {
  scenario market;
  market.prices({100, 101});
  market.frame_minutes(0, 1);
  market.strategy(signals({}));
  CHECK(market.facts(interest::everything()) == texts{"0 idle @100", "1 idle @101"});
}

TEST_CASE("lifecycle 3: idle, a signal that risk refuses -> the risk event only, slot used up") {
  scenario market;
  market.prices({100, 100, 100, 100, 100, 100});
  market.frame_minutes(0, 5);
  int calls = 0;
  auto& strategy = market.strategy([&calls](const run_context&) {
    ++calls;
    return std::optional{go_long(110, 90)};
  });
  strategy.size = interval::m5;
  strategy.risk_name = "cap";
  market.schemas.risks.push_back(at_most(0));
  CHECK(market.facts() == texts{"0 risk cap: full (0)", "5 risk cap: full (0)"});
  CHECK(calls == 2);
  CHECK(market.facts(interest::of(tick_action::idle) | interest::of(topic::risk)) ==
        texts{"0 risk cap: full (0)", "0 idle @100", "1 idle @100", "2 idle @100", "3 idle @100",
              "4 idle @100", "5 risk cap: full (0)", "5 idle @100"});
}

TEST_CASE("lifecycle 3: idle, a signal whose price_open is not reached -> scheduled") {
  auto market = one_signal(long_at_95, {100});
  CHECK(market.facts() == texts{"0 scheduled @95"});
  const auto scheduled = market.ticks(tick_action::scheduled).at(0);
  CHECK(scheduled.signal->scheduled_at == at_minute(0));
  CHECK_FALSE(scheduled.signal->pending_at);
  CHECK(scheduled.signal->is_scheduled);
  CHECK(facts_of(short_at_105, {100}) == texts{"0 scheduled @105"});
}

TEST_CASE("lifecycle 3: idle, risk is checked for a schedule but nothing is added") {
  scenario market;
  market.prices({100, 100, 100});
  market.frame_minutes(0, 2);
  market.schemas.risks.push_back(at_most(1));
  market.strategy(signals({{0, long_at_95}}), "a").risk_name = "cap";
  market.strategy(signals({{1, go_long(110, 90)}}), "b").risk_name = "cap";
  CHECK(market.facts() == texts{"a 0 scheduled @95", "b 1 opened @100"});
  market.schemas.risks[0] = at_most(0);
  CHECK(market.facts() == texts{"a 0 risk cap: full (0)", "b 1 risk cap: full (0)"});
}

TEST_CASE("lifecycle 3: idle, a signal without price_open -> opened at the average price") {
  auto market = one_signal(go_long(110, 90), {100});
  CHECK(market.facts() == texts{"0 opened @100"});
  const auto opened = market.ticks(tick_action::opened).at(0);
  CHECK(opened.signal->scheduled_at == at_minute(0));
  CHECK(opened.signal->pending_at == at_minute(0));
  CHECK_FALSE(opened.signal->is_scheduled);
}

TEST_CASE("lifecycle 3: idle, a signal whose price_open is already reached -> opened at it") {
  CHECK(facts_of(entering_at(100, go_long(110, 90)), {100}) == texts{"0 opened @100"});
  CHECK(facts_of(entering_at(101, go_long(110, 90)), {100}) == texts{"0 opened @101"});
  CHECK(facts_of(entering_at(100, go_short(90, 110)), {100}) == texts{"0 opened @100"});
  CHECK(facts_of(entering_at(99, go_short(90, 110)), {100}) == texts{"0 opened @99"});
  const auto opened =
      one_signal(entering_at(101, go_long(110, 90)), {100}).ticks(tick_action::opened).at(0);
  CHECK(opened.current_price == 101);
  CHECK_FALSE(opened.signal->is_scheduled);
  CHECK(opened.signal->pending_at == at_minute(0));
}

// -- the bullets below the table
// -------------------------------------------------------------------

TEST_CASE(
    "lifecycle 3: prices before time: the candle that closes at the expiry is examined first") {
  CHECK(facts_of(go_long(110, 90, 2), {100, 100, 110}) ==
        texts{"0 opened @100", "2 closed take_profit @110"});
  CHECK(facts_of(go_long(110, 90, 2), {100, 100, 90}) ==
        texts{"0 opened @100", "2 closed stop_loss @90"});
}

TEST_CASE("lifecycle 3: an opened signal is first examined at the next minute") {
  // Minute 0 itself lies beyond the target of the given entry; nothing closes there.
  CHECK(facts_of(entering_at(95, go_long(110, 90)), {100, 94, 110, 110}) ==
        texts{"0 scheduled @95", "1 opened @95", "2 closed take_profit @110"});
  CHECK(facts_of(go_long(110, 90), {100, 110}) ==
        texts{"0 opened @100", "1 closed take_profit @110"});
}

TEST_CASE("lifecycle 3: an instant that ends a signal goes on to generate, in that order") {
  scenario market;
  market.prices({100, 110, 90, 90, 90});
  market.frame_minutes(0, 3);
  SUBCASE("after take profit and after stop loss") {
    market.strategy(signals({{0, go_long(110, 90)}, {1, go_long(130, 95)}, {2, go_long(99, 80)}}));
    CHECK(market.facts() == texts{"0 opened @100", "1 closed take_profit @110", "1 opened @110",
                                  "2 closed stop_loss @95", "2 opened @90"});
  }
  SUBCASE("after expiry") {
    market.strategy(signals({{0, go_long(120, 85, 2)}, {2, go_long(99, 80)}}));
    CHECK(market.facts() == texts{"0 opened @100", "2 closed time_expired @90", "2 opened @90"});
  }
  SUBCASE("after a cancelled schedule") {
    market.strategy(signals({{0, entering_at(95, go_long(110, 91))}, {2, go_long(99, 80)}}));
    CHECK(market.facts() == texts{"0 scheduled @95", "2 cancelled price_reject", "2 opened @90"});
  }
  SUBCASE("after a timeout") {
    market.parameters.schedule_await_minutes = 1;
    market.strategy(signals({{0, entering_at(95, go_long(120, 91))}, {1, go_long(130, 95)}}));
    CHECK(market.facts() == texts{"0 scheduled @95", "1 cancelled timeout", "1 opened @110",
                                  "2 closed stop_loss @95"});
  }
  SUBCASE("only if it is a generation instant: slot used, then off the frame's step") {
    auto& strategy = market.strategy(signals({{0, go_long(110, 90)}, {1, go_long(130, 95)}}));
    strategy.size = interval::m3;
    CHECK(market.facts() == texts{"0 opened @100", "1 closed take_profit @110"});
    strategy.size = interval::m1;
    market.frame.size = interval::m3;
    CHECK(market.facts() == texts{"0 opened @100", "1 closed take_profit @110"});
  }
}

TEST_CASE("lifecycle 3: an activation refused by risk ends its instant, the next one generates") {
  scenario market;
  market.prices({100, 94, 94, 94});
  market.frame_minutes(0, 3);
  std::vector<std::int64_t> asked;
  market
      .strategy([&asked](const run_context& context) -> std::optional<signal_request> {
        asked.push_back((context.when() - minute_zero) / minute_ms);
        return context.when() == minute_zero ? std::optional{long_at_95} : std::nullopt;
      })
      .risk_name = "later";
  market.schemas.risks.push_back(refuses_later());
  CHECK(market.facts() ==
        texts{"0 scheduled @95", "1 risk later: too late (0)", "1 cancelled risk_reject"});
  CHECK(asked == std::vector<std::int64_t>{0, 2, 3});
}

TEST_CASE("lifecycle 3: percent_tp and percent_sl are clamped to 100, one of them is 0") {
  // With touch the average price may lie beyond a level that no candle reached since.
  scenario market;
  market.frame_minutes(0, 0);
  market.exchange.exit_fill = fill_model::touch;
  market.parameters.avg_price_candles_count = 2;
  market.strategy(signals({{0, go_long(110, 90)}}));
  market.candles() = {closing_at(-1, 70), closing_at(0, 130), closing_at(1, 95)};
  CHECK(market.facts(interest::of(tick_action::active)) == texts{"1 active 100/0"});
  market.candles() = {closing_at(-1, 130), closing_at(0, 70), closing_at(1, 105)};
  CHECK(market.facts(interest::of(tick_action::active)) == texts{"1 active 0/100"});
}

TEST_CASE("lifecycle 3: every scheduled signal ends in exactly one opened or cancelled, every "
          "opened one in exactly one closed") {
  std::uint64_t state = 17;
  const auto random = [&state](std::uint64_t below) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    return (state >> 33) % below;
  };
  scenario market;
  std::vector<std::optional<double>> path;
  for (int minute = 0; minute < 3000; ++minute)
    path.push_back(100 + 12 * static_cast<double>(random(1000)) / 1000 - 6);
  market.prices(path);
  market.frame_minutes(0, 2800);
  market.parameters.schedule_await_minutes = 4;
  market.strategy([&](const run_context& context) -> std::optional<signal_request> {
    const double price = context.average_price();
    return random(2) == 0 ? entering_at(price - 3, go_long(price + 2, price - 5, 5))
                          : entering_at(price + 3, go_short(price - 2, price + 5, 5));
  });
  std::map<std::string, std::vector<tick_action>> lives;
  for (const auto& item : market.run().events)
    if (const auto* tick = std::get_if<tick_result>(&item.payload);
        tick && tick->signal && tick->action != tick_action::waiting &&
        tick->action != tick_action::active)
      lives[tick->signal->id].push_back(tick->action);
  using life = std::vector<tick_action>;
  std::array<int, 2> seen{};
  for (const auto& [id, actions] : lives) {
    const bool opened =
        actions == life{tick_action::scheduled, tick_action::opened, tick_action::closed};
    CHECK((opened || actions == life{tick_action::scheduled, tick_action::cancelled}));
    ++seen[opened ? 1 : 0];
  }
  CHECK(seen[0] > 100);
  CHECK(seen[1] > 100);
}

// -- fill model
// --------------------------------------------------------------------------------------

TEST_CASE("lifecycle 3, fill model: vwap is the default: extremes decide nothing") {
  auto market = one_signal(go_long(110, 90), {100, 100});
  market.candles()[1] = closing_at(1, 80, 120, 100);
  market.parameters.avg_price_candles_count = 5;
  CHECK(market.facts() == texts{"0 opened @100"});
  auto waiting = one_signal(long_at_95, {100, 100});
  waiting.candles()[1] = closing_at(1, 80, 130, 100); // typical price 103.3
  CHECK(waiting.facts() == texts{"0 scheduled @95"});
}

TEST_CASE("lifecycle 3, fill model: entry_fill = touch, scheduled: the candle's extremes decide") {
  const auto touched = [](const signal_request& request, const candle& next) {
    auto market = one_signal(request, {100});
    market.exchange.entry_fill = fill_model::touch;
    market.candles().push_back(next);
    return market.facts().at(1);
  };
  CHECK(touched(long_at_95, closing_at(1, 95, 100, 100)) == "1 opened @95");
  CHECK(touched(long_at_95, closing_at(1, 90, 100, 100)) == "1 cancelled price_reject");
  CHECK(touched(long_at_95, closing_at(1, 90.01, 100, 100)) == "1 opened @95");
  CHECK(touched(short_at_105, closing_at(1, 100, 105, 100)) == "1 opened @105");
  CHECK(touched(short_at_105, closing_at(1, 100, 110, 100)) == "1 cancelled price_reject");
  CHECK(touched(short_at_105, closing_at(1, 100, 109.99, 100)) == "1 opened @105");
}

TEST_CASE("lifecycle 3, fill model: entry_fill = touch ignores an average price without a touch") {
  auto market = one_signal(long_at_95, {96, 96});
  market.exchange.entry_fill = fill_model::touch;
  market.parameters.avg_price_candles_count = 2;
  market.candles() = {closing_at(0, 96), closing_at(1, 95.5)};
  CHECK(market.facts() == texts{"0 scheduled @95"});
  // At once the candle is not asked: the average price says whether the entry is reached.
  CHECK(one_signal(entering_at(96, go_long(110, 90)), {96}).facts() == texts{"0 opened @96"});
}

TEST_CASE("lifecycle 3, fill model: exit_fill = touch, pending: the candle's extremes decide") {
  const auto touched = [](const signal_request& request, const candle& next) {
    auto market = one_signal(request, {100});
    market.exchange.exit_fill = fill_model::touch;
    market.candles().push_back(next);
    return market.facts();
  };
  CHECK(touched(go_long(110, 90), closing_at(1, 95, 110, 100)) ==
        texts{"0 opened @100", "1 closed take_profit @110"});
  CHECK(touched(go_long(110, 90), closing_at(1, 90, 109, 100)) ==
        texts{"0 opened @100", "1 closed stop_loss @90"});
  CHECK(touched(go_long(110, 90), closing_at(1, 90.01, 109.99, 100)) == texts{"0 opened @100"});
  CHECK(touched(go_short(90, 110), closing_at(1, 90, 109, 100)) ==
        texts{"0 opened @100", "1 closed take_profit @90"});
  CHECK(touched(go_short(90, 110), closing_at(1, 91, 110, 100)) ==
        texts{"0 opened @100", "1 closed stop_loss @110"});
}

TEST_CASE("lifecycle 3, fill model: both in one candle -> stop loss") {
  for (const auto& [request, stop] : {std::pair{go_long(110, 90), "1 closed stop_loss @90"},
                                      std::pair{go_short(90, 110), "1 closed stop_loss @110"}}) {
    auto market = one_signal(request, {100});
    market.exchange.exit_fill = fill_model::touch;
    market.candles().push_back(closing_at(1, 80, 120, 100));
    CHECK(market.facts() == texts{"0 opened @100", stop});
  }
}

TEST_CASE("lifecycle 3, fill model: a missing candle skips the touch conditions only") {
  SUBCASE("expiry still applies") {
    auto market = one_signal(go_long(110, 90, 2), {100, 101, {}, 120});
    market.parameters.avg_price_candles_count = 5;
    market.exchange.exit_fill = fill_model::touch;
    CHECK(market.facts() == texts{"0 opened @100", "2 closed time_expired @100.5"});
  }
  SUBCASE("the timeout still applies") {
    auto market = one_signal(long_at_95, {100, 100, {}, 90});
    market.parameters.schedule_await_minutes = 2;
    market.exchange.entry_fill = fill_model::touch;
    CHECK(market.facts() == texts{"0 scheduled @95", "2 cancelled timeout"});
  }
  SUBCASE("milestones use the average price of the candles that are left") {
    auto market = one_signal(go_long(110, 90), {100, 106, {}, 100});
    market.parameters.avg_price_candles_count = 3;
    market.exchange.exit_fill = fill_model::touch;
    CHECK(market.facts(interest::of(tick_action::active)) ==
          texts{"1 active 30/0", "2 active 30/0", "3 active 30/0"});
  }
}

TEST_CASE("lifecycle 3, fill model: milestones and peak/fall always use the average price") {
  auto market = one_signal(go_long(110, 90, 2), {100});
  market.exchange.exit_fill = fill_model::touch;
  market.candles().push_back(closing_at(1, 91, 109, 100)); // average (91 + 109 + 100) / 3 = 100
  market.candles().push_back(closing_at(2, 100));
  CHECK(market.facts(transitions() | interest::of(topic::partial_profit) |
                     interest::of(topic::partial_loss)) ==
        texts{"0 opened @100", "2 closed time_expired @100"});
  const auto closed = market.ticks(tick_action::closed).at(0);
  CHECK(closed.peak_pnl == 0);
  CHECK(closed.fall_pnl == 0);
}

TEST_CASE("lifecycle 3, fill model: an activation is not tested for exit on its own candle") {
  auto market = one_signal(long_at_95, {100});
  market.exchange.entry_fill = market.exchange.exit_fill = fill_model::touch;
  market.candles().push_back(closing_at(1, 94, 120, 100)); // enters, and would take profit
  market.candles().push_back(closing_at(2, 100));
  CHECK(market.facts() == texts{"0 scheduled @95", "1 opened @95"});
  market.candles().push_back(closing_at(3, 99, 111, 100));
  CHECK(market.facts() == texts{"0 scheduled @95", "1 opened @95", "3 closed take_profit @110"});
}
