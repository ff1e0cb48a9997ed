#include "runtime/parity.hpp"
#include "tests/support/runtime_fixture.hpp"

using namespace backtest;
using namespace backtest::testing;

namespace {

/// 100 until a day before the frame, 200 from there on.
exchange_schema stepping_exchange() {
  exchange_schema schema;
  schema.exchange_name = "exchange";
  schema.get_candles = [](const candle_query& query) {
    std::vector<candle> candles;
    for (instant at = query.since; at < query.until; at += minute_ms) {
      const double price = at < first_instant - day_ms ? 100 : 200;
      candles.push_back({at, price, price, price, price, 1});
    }
    return candles;
  };
  return schema;
}

} // namespace

TEST_CASE("warm-up: an average price over more than a day has all its candles from the first "
          "instant on, in a backtest and live") {
  const watchdog guard{};
  auto options = quiet();
  options.parameters.avg_price_candles_count = 2 * 1440;
  runtime target{options};
  target.add_exchange(stepping_exchange());
  target.add_frame(frame_of(60 * minute_ms));
  target.add_strategy(strategy_of("buyer", [](const run_context& context) {
    CHECK(context.average_price() >= 150);
    signal_request request;
    request.price_take_profit = 190;
    request.price_stop_loss = 140;
    return std::optional{request};
  }));
  heard_events heard{target, {topic::signal_backtest}};
  run_to_end(target);
  const auto ticks = heard.of<tick_result>();
  REQUIRE(!ticks.empty());
  CHECK(ticks[0].timestamp == first_instant);
  CHECK(ticks[0].signal->price_open == 150); // a day of 100, a day of 200

  const auto parity = compare_drivers(target, request_of());
  CHECK(parity.compared > 0);
  CHECK_MESSAGE(!parity.difference, parity.difference.value_or(""));
}
