#include "tests/support/scenario.hpp"

#include "actors/strategy/profit.hpp"

#include <doctest/doctest.h>

using namespace backtest;
using namespace backtest::testing;
using doctest::Approx;

TEST_CASE("lifecycle 7: long: slippage on both sides, the exit fee on the exit value") {
  // o = 100.1, c = 109.89: gross 9.78021978..., fee 0.1 * (1 + 109.89 / 100.1)
  CHECK(net_percent(position_side::long_side, 100, 110, 0.1, 0.1) ==
        Approx(9.780219780219780 - 0.1 * 2.097802197802198).epsilon(1e-12));
  CHECK(net_percent(position_side::long_side, 100, 110, 0, 0) == Approx(10));
  CHECK(net_percent(position_side::long_side, 100, 110, 0.1, 0) == Approx(10 - 0.21));
  CHECK(net_percent(position_side::long_side, 100, 100, 0, 1) == Approx(-100 * 2 / 101.0));
}

TEST_CASE("lifecycle 7: short: mirrored") {
  // o = 99.9, c = 90.09: gross 9.81981981..., fee 0.1 * (1 + 90.09 / 99.9)
  CHECK(net_percent(position_side::short_side, 100, 90, 0.1, 0.1) ==
        Approx(9.819819819819820 - 0.1 * 1.901801801801802).epsilon(1e-12));
  CHECK(net_percent(position_side::short_side, 100, 90, 0, 0) == Approx(10));
  CHECK(net_percent(position_side::short_side, 100, 90, 0.1, 0) == Approx(10 - 0.19));
  CHECK(net_percent(position_side::short_side, 100, 100, 0, 1) == Approx(-100 * 2 / 99.0));
}

TEST_CASE("lifecycle 7: percent_slippage and percent_fee are 0.1 each") {
  CHECK(configuration{}.percent_slippage == 0.1);
  CHECK(configuration{}.percent_fee == 0.1);
}

TEST_CASE("lifecycle 7: an exchange schema may set its own costs") {
  scenario market;
  market.prices({100, 110});
  market.frame_minutes(0, 0);
  market.strategy(signals({{0, go_long(110, 90)}}));
  const auto pnl = [&] { return market.ticks(tick_action::closed).at(0).pnl->pnl_percentage; };
  market.parameters.percent_fee = 1;
  market.parameters.percent_slippage = 1;
  CHECK(pnl() == Approx(net_percent(position_side::long_side, 100, 110, 1, 1)));
  market.exchange.percent_fee = 0;
  CHECK(pnl() == Approx(net_percent(position_side::long_side, 100, 110, 0, 1)));
  market.exchange.percent_slippage = 0;
  CHECK(pnl() == Approx(10));
}

TEST_CASE("lifecycle 7: the event carries the net result and both prices as given") {
  scenario market;
  market.parameters = configuration{};
  market.parameters.avg_price_candles_count = 1;
  market.frame_minutes(0, 0);
  market.prices({100, 90});
  SUBCASE("stop loss of a long") {
    market.strategy(signals({{0, go_long(110, 90)}}));
    const auto closed = market.ticks(tick_action::closed).at(0);
    CHECK(closed.pnl->price_open == 100);
    CHECK(closed.pnl->price_close == 90);
    CHECK(closed.current_price == 90);
    // o = 100.1, c = 89.91
    CHECK(closed.pnl->pnl_percentage ==
          Approx(-10.17982017982018 - 0.1 * 1.898201798201798).epsilon(1e-12));
    CHECK(closed.close_timestamp == at_minute(1));
  }
  SUBCASE("a given entry") {
    market.strategy(signals({{0, entering_at(101, go_long(111, 91))}}));
    CHECK(market.ticks(tick_action::closed).at(0).pnl->price_open == 101);
  }
}
