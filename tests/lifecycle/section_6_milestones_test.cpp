#include "tests/support/scenario.hpp"

#include "actors/partial/milestones.hpp"

#include <doctest/doctest.h>

using namespace backtest;
using namespace backtest::testing;

namespace {

constexpr auto both = interest::of(topic::partial_profit) | interest::of(topic::partial_loss);

/// Milestones of one signal that opens at minute 0 at 100.
texts levels(const signal_request& request, const std::vector<std::optional<double>>& by_minute) {
  return one_signal(request, by_minute).facts(both);
}

} // namespace

TEST_CASE("lifecycle 6: progress crosses 10, 20, ..., 100 %") {
  CHECK(levels(go_long(200, 85), {100, 109.9, 110, 119.9, 120, 130, 199.9}) ==
        texts{"2 profit 10", "4 profit 20", "5 profit 30", "6 profit 40", "6 profit 50",
              "6 profit 60", "6 profit 70", "6 profit 80", "6 profit 90"});
  CHECK(levels(go_long(200, 80), {100, 98.1, 98, 96}) == texts{"2 loss 10", "3 loss 20"});
  CHECK(levels(go_short(50, 120), {100, 95, 90}) == texts{"1 profit 10", "2 profit 20"});
  CHECK(levels(go_short(50, 120), {100, 102, 104}) == texts{"1 loss 10", "2 loss 20"});
}

TEST_CASE("lifecycle 6: 100 % is a level too, where the average price got there untouched") {
  scenario market = one_signal(go_long(110, 85), {});
  market.exchange.exit_fill = fill_model::touch;
  market.parameters.avg_price_candles_count = 2;
  market.candles() = {closing_at(-1, 70), closing_at(0, 130), closing_at(1, 95)};
  CHECK(market.facts(both).back() == "1 profit 100");
  CHECK(market.facts(both).size() == 10);
}

TEST_CASE("lifecycle 6: each level once per signal and side, however the price oscillates") {
  CHECK(levels(go_long(110, 90), {100, 102, 98, 102, 98, 103, 97, 101, 99}) ==
        texts{"1 profit 10", "1 profit 20", "2 loss 10", "2 loss 20", "5 profit 30", "6 loss 30"});
}

TEST_CASE("lifecycle 6: the callbacks of a strategy hear each level once, as the topics do") {
  scenario market = one_signal(go_long(110, 90), {100, 102, 98, 102, 98, 103.5, 97, 101, 99});
  std::vector<event> called;
  auto& callbacks = market.schemas.strategies.front().callbacks;
  SUBCASE("beside subscribers") { market.options.wanted = interest::everything(); }
  SUBCASE("nobody else listens") { market.options.wanted = interest{}; }
  SUBCASE("nobody hears of losses") { market.options.wanted = interest::of(topic::partial_profit); }
  callbacks.on_partial_profit = [&](const partial_event& reached) {
    called.push_back({topic::partial_profit, reached});
  };
  callbacks.on_partial_loss = [&](const partial_event& reached) {
    called.push_back({topic::partial_loss, reached});
  };
  const auto wanted = market.options.wanted;
  const auto told = market.run().events;
  CHECK(std::none_of(told.begin(), told.end(), [&](const event& item) {
    return std::holds_alternative<partial_event>(item.payload) && !wanted.has(item.on);
  }));
  std::vector<event> expected;
  callbacks = {};
  market.options.wanted = both;
  for (const auto& item : market.run().events)
    expected.push_back(item);
  CHECK(expected.size() == 6);
  CHECK(called == expected);
}

TEST_CASE("lifecycle 6: a level's callback that throws is an error event, the run goes on") {
  scenario market = one_signal(go_long(110, 90), {100, 101.5, 100, 98.5});
  auto& callbacks = market.schemas.strategies.front().callbacks;
  callbacks.on_partial_profit = [](const partial_event&) { throw std::runtime_error("no"); };
  std::string message;
  for (const auto& item : market.run().events)
    if (const auto* problem = std::get_if<error_event>(&item.payload))
      message += problem->message;
  CHECK(message == "on_partial_profit threw: no");
}

TEST_CASE("lifecycle 6: several levels crossed at once are several events, ascending") {
  CHECK(levels(go_long(110, 90), {100, 104.5}) ==
        texts{"1 profit 10", "1 profit 20", "1 profit 30", "1 profit 40"});
  CHECK(levels(go_long(110, 90), {100, 96.5}) == texts{"1 loss 10", "1 loss 20", "1 loss 30"});
}

TEST_CASE("lifecycle 6: at price == open nothing is crossed") {
  CHECK(levels(go_long(110, 90), {100, 100, 100}) == texts{});
}

TEST_CASE("lifecycle 6: progress counts from price_open, not from the price at the opening") {
  CHECK(levels(entering_at(102, go_long(112, 92)), {100, 102, 103}) == texts{"2 profit 10"});
}

TEST_CASE("lifecycle 6: an instant that ends the signal announces no levels") {
  CHECK(levels(go_long(110, 90), {100, 110}) == texts{});
  CHECK(levels(go_long(110, 90), {100, 90}) == texts{});
  CHECK(levels(go_long(110, 90, 1), {100, 105}) == texts{});
}

TEST_CASE("lifecycle 6: no levels while scheduled, nor at the instant it opens") {
  CHECK(levels(entering_at(95, go_long(110, 80)), {100, 97, 94, 94}) == texts{});
  CHECK(levels(entering_at(95, go_long(110, 80)), {100, 97, 92, 95}) == texts{});
}

TEST_CASE("lifecycle 6: the event carries price, side, instant and the signal") {
  const auto result = one_signal(go_long(110, 90), {100, 101.5}).run();
  const partial_event* found = nullptr;
  for (const auto& item : result.events)
    if (item.on == topic::partial_profit)
      found = &std::get<partial_event>(item.payload);
  REQUIRE(found);
  CHECK(found->current_price == 101.5);
  CHECK(found->timestamp == at_minute(1));
  CHECK(found->level == 10);
  CHECK(found->side == milestone_side::profit);
  CHECK(found->signal->price_take_profit == 110);
}

TEST_CASE("lifecycle 6: levels come before the active result of the same instant") {
  CHECK(one_signal(go_long(110, 90), {100, 102}).facts(interest::everything()) ==
        texts{"0 opened @100", "1 profit 10", "1 profit 20", "1 active 20/0"});
}

TEST_CASE("lifecycle 6: the tracker answers which levels are new") {
  milestones tracker;
  using list = std::vector<int>;
  CHECK(tracker.reach(milestone_side::profit, 2) == list{10, 20});
  CHECK(tracker.reach(milestone_side::profit, 2) == list{});
  CHECK(tracker.reach(milestone_side::profit, 1) == list{});
  CHECK(tracker.reach(milestone_side::profit, 0) == list{});
  CHECK(tracker.reach(milestone_side::loss, 1) == list{10});
  CHECK(tracker.reach(milestone_side::profit, 10) == list{30, 40, 50, 60, 70, 80, 90, 100});
  CHECK(levels_crossed(0) == 0);
  CHECK(levels_crossed(9.999) == 0);
  CHECK(levels_crossed(10) == 1);
  CHECK(levels_crossed(100) == 10);
  CHECK(levels_crossed(250) == 10);
}

TEST_CASE("lifecycle 6: a tracker belongs to one signal: the next one starts anew") {
  scenario market;
  market.prices({100, 101, 110, 99, 100});
  market.frame_minutes(0, 3);
  SUBCASE("with ids of its own") {
    market.strategy(signals({{0, go_long(110, 90)}, {3, go_long(108.9, 85)}}));
  }
  SUBCASE("even when the strategy uses one id again") {
    auto first = go_long(110, 90);
    auto second = go_long(108.9, 85);
    first.id = second.id = "again";
    market.strategy(signals({{0, first}, {3, second}}));
  }
  CHECK(market.facts(both) == texts{"1 profit 10", "4 profit 10"});
}

TEST_CASE("lifecycle 6: the run names the signals whose trackers may be forgotten") {
  series_market candles{"BTC", 1, {}, {}};
  const candle_series series{
      "BTC", interval::m1, {closing_at(0, 100), closing_at(1, 105), closing_at(2, 110)}};
  candles.provide({std::make_shared<const candle_series>(series), INT64_MIN, INT64_MAX});
  run_plan plan;
  plan.identity = std::make_shared<const run_identity>(run_identity{"BTC", "s", "paper", "f", {}});
  plan.frame = {at_minute(0), at_minute(0), minute_ms};
  plan.data_end = at_minute(2);
  strategy_schema strategy;
  auto request = go_long(110, 90);
  request.id = "mine";
  strategy.get_signal = signals({{0, request}});
  strategy.strategy_name = "s";
  plan.rules.parameters.avg_price_candles_count = 1;
  strategy_core core{strategy, plan, candles};
  std::vector<event> events;
  const range_grant grant{end_of_time, both};
  CHECK(core.advance(grant, events) == pause_reason::ask_milestones);
  CHECK(core.reached().signal_id == "mine");
  CHECK(core.reached().crossed == 5);
  CHECK(core.take_closed_ids().empty());
  core.answer(std::vector<int>{40, 50}); // the others were announced before, says the tracker
  CHECK(core.advance(grant, events) == pause_reason::finished);
  CHECK(events.size() == 2);
  CHECK(core.take_closed_ids() == texts{"mine"});
}

TEST_CASE("lifecycle 6: nobody listens: the tracker is not asked, the facts are the same") {
  auto market = one_signal(go_long(110, 90), {100, 105, 95, 110});
  CHECK(market.facts() == texts{"0 opened @100", "3 closed take_profit @110"});
}

TEST_CASE(
    "lifecycle 6: peak and fall: entry, every average price it stayed open at, and the close") {
  const auto extremes = [](const signal_request& request,
                           const std::vector<std::optional<double>>& by_minute) {
    const auto closed = one_signal(request, by_minute).ticks(tick_action::closed).at(0);
    return std::pair{*closed.peak_pnl, *closed.fall_pnl};
  };
  using doctest::Approx;
  const auto check = [&](const std::pair<double, double>& found, double peak, double fall) {
    CHECK(found.first == Approx(peak));
    CHECK(found.second == Approx(fall));
  };
  check(extremes(go_long(110, 90, 4), {100, 104, 97, 101, 102}), 4, -3);
  check(extremes(go_long(110, 90, 1), {100, 105}), 5, 0); // the entry price is a price too
  check(extremes(go_long(110, 90, 1), {100, 95}), 0, -5);
  check(extremes(go_long(110, 90), {100, 104, 115}), 10, 0); // closes at 110, 115 was never held
  check(extremes(go_long(110, 90), {100, 104, 70}), 4, -10);
  check(extremes(go_short(90, 110, 3), {100, 104, 97, 101}), 3, -4);
}

TEST_CASE("lifecycle 6: peak and fall are net results, as pnl_percentage") {
  auto market = one_signal(go_long(110, 90, 2), {100, 104, 100});
  market.parameters.percent_fee = 0.1;
  const auto closed = market.ticks(tick_action::closed).at(0);
  CHECK(*closed.peak_pnl == doctest::Approx(4 - 0.1 * 2.04));
  CHECK(*closed.fall_pnl == doctest::Approx(-0.2));
  CHECK(*closed.fall_pnl == closed.pnl->pnl_percentage);
}
