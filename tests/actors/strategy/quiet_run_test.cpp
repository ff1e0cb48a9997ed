#include "actors/strategy/quiet_run.hpp"

#include "actors/strategy/strategy_core.hpp"
#include "storage/memory_store.hpp"

#include <doctest/doctest.h>

using namespace backtest;

namespace {

constexpr instant t0 = 1'704'067'200'000; // 2024-01-01, a slot of every interval begins

shared_identity live_run() {
  return std::make_shared<const run_identity>(
      run_identity{"BTC", "quarter", "paper", "", run_mode::live});
}

/// A candle at every minute from an hour before t0 on, its price the minutes since t0.
shared_series minutes_until(instant until) {
  auto series = std::make_shared<candle_series>();
  series->symbol = "BTC";
  for (instant at = t0 - 60 * minute_ms; at < until; at += minute_ms) {
    const auto price = 1000 + static_cast<double>((at - t0) / minute_ms);
    series->candles.push_back({at, price, price, price, price, 1});
  }
  return series;
}

strategy_schema every_quarter() {
  strategy_schema schema;
  schema.strategy_name = "quarter";
  schema.size = interval::m15;
  schema.get_signal = [](const run_context&) { return std::nullopt; };
  return schema;
}

/// A core on its own, from t0 to t0 + 59 minutes.
struct live_core {
  explicit live_core(strategy_schema strategy = every_quarter())
      : schema(std::move(strategy)), market("BTC", 5, {}, {}) {
    const auto minutes = minutes_until(t0 + 120 * minute_ms);
    market.provide({minutes, INT64_MIN, INT64_MAX});
    core.emplace(schema, plan_for(live_run(), {t0, t0 + 59 * minute_ms, minute_ms}, *minutes, {}),
                 market);
  }

  void advance(int minute, interest wanted) {
    REQUIRE(core->advance({t0 + minute * minute_ms, wanted}, events) == pause_reason::range_done);
  }

  strategy_schema schema;
  series_market market;
  std::optional<strategy_core> core;
  std::vector<event> events;
};

const auto newest_idle =
    interest::of_newest_idle() | interest::of(tick_action::opened) | interest::of(topic::control);

} // namespace

TEST_CASE("quiet run: the newest instant with a price") {
  const auto run = live_run();
  quiet_price price{5};
  const auto minutes = minutes_until(t0 + 10 * minute_ms);
  const auto until = t0 + 10 * minute_ms;
  // Of the five minutes before 00:09, whose closes are 1004 to 1008.
  CHECK(price.newest(run, minutes, t0, until) ==
        idle_stretch{run, t0 + 9 * minute_ms, 1006, false});
  CHECK(price.newest(run, minutes, t0 + 9 * minute_ms, until)->timestamp == t0 + 9 * minute_ms);
  // 00:10 to 00:14 look back at fewer and fewer candles, 00:15 at none.
  const auto later = t0 + 40 * minute_ms;
  CHECK(price.newest(run, minutes, t0, later) ==
        idle_stretch{run, t0 + 14 * minute_ms, 1009, false});
  CHECK(price.newest(run, minutes, t0 + 15 * minute_ms, later) == std::nullopt);
  // Candles that are replaced by longer ones.
  CHECK(price.newest(run, minutes_until(later), t0, later)->timestamp == later - minute_ms);
}

TEST_CASE("quiet run: its row is the one it would have written itself") {
  const auto store_of = [](const store_batch& batch) {
    auto target = make_memory_store();
    target->commit(batch);
    return target;
  };
  stored_run run{*live_run(), {}, std::nullopt};
  run.memory.last_instant = t0;
  run.memory.machine.used_slot = t0 / (15 * minute_ms);
  run.memory.counters.closed = 3;
  store_batch early, later, expected;
  put_run_at(later, run, t0 + 5 * minute_ms);
  put_run(early, run, nullptr, {});
  run.memory.last_instant = t0 + 5 * minute_ms;
  put_run(expected, run, nullptr, {});
  store_batch both;
  both.append(std::move(early));
  both.append(std::move(later));
  CHECK(store_of(both)->scan(store_space::state, "") ==
        store_of(expected)->scan(store_space::state, ""));
}

TEST_CASE(
    "quiet run: until the next slot, the end of the frame, and not with callbacks for ticks") {
  live_core world;
  world.advance(1, newest_idle);
  CHECK(world.core->quiet_until() == t0 + 15 * minute_ms);
  world.advance(15, newest_idle);
  CHECK(world.core->quiet_until() == std::nullopt); // the next instant is asked about
  world.advance(46, newest_idle);
  CHECK(world.core->quiet_until() == t0 + 60 * minute_ms); // the frame ends before the slot

  auto schema = every_quarter();
  SUBCASE("on_idle") {
    schema.callbacks.on_idle = [](const tick_result&) {};
  }
  SUBCASE("on_tick") {
    schema.callbacks.on_tick = [](const tick_result&) {};
  }
  if (!schema.callbacks.on_idle && !schema.callbacks.on_tick)
    return;
  live_core with_callbacks{schema};
  with_callbacks.advance(1, newest_idle);
  CHECK(with_callbacks.core->quiet_until() == std::nullopt);
}

TEST_CASE(
    "quiet run: minutes it was not asked about are behind it, and a command comes after them") {
  live_core world;
  world.advance(1, newest_idle);
  REQUIRE(world.core->quiet_until() == t0 + 15 * minute_ms);
  world.core->command(operator_command::pause);
  world.core->pass_quietly(t0 + 7 * minute_ms);
  CHECK(world.core->memory().last_instant == t0 + 6 * minute_ms);
  world.advance(8, newest_idle);
  REQUIRE(world.events.size() == 1);
  CHECK(std::get<control_event>(world.events[0].payload).timestamp == t0 + 7 * minute_ms);
  CHECK(world.core->memory().last_instant == t0 + 7 * minute_ms);
  CHECK(world.core->memory().paused);
}

TEST_CASE("idle stretch: the newest tick of a range, before whatever ends the stretch") {
  auto schema = every_quarter();
  schema.get_signal = [](const run_context& context) -> std::optional<signal_request> {
    if (context.when() < t0 + 30 * minute_ms)
      return std::nullopt;
    signal_request request;
    request.price_take_profit = context.average_price() * 1.1;
    request.price_stop_loss = context.average_price() * 0.9;
    return request;
  };
  live_core world{schema};
  world.advance(10, newest_idle);
  CHECK(world.events.empty());
  const auto stretch = world.core->take_idle();
  REQUIRE(stretch);
  CHECK(stretch->timestamp == t0 + 9 * minute_ms);
  CHECK(stretch->current_price == 1006);
  CHECK(stretch->run->symbol == "BTC");
  CHECK(world.core->take_idle() == std::nullopt);

  world.advance(40, newest_idle);
  CHECK(world.core->take_idle() == std::nullopt);
  REQUIRE(world.events.size() == 2);
  const auto& idle = std::get<tick_result>(world.events[0].payload);
  CHECK(idle.action == tick_action::idle);
  CHECK(idle.timestamp == t0 + 29 * minute_ms);
  CHECK(std::get<tick_result>(world.events[1].payload).action == tick_action::opened);
}

TEST_CASE("idle stretch: where every idle tick is wanted, they all come") {
  live_core world;
  world.advance(10, newest_idle | interest::of(tick_action::idle));
  CHECK(world.events.size() == 10);
  CHECK(world.core->take_idle() == std::nullopt);
}
