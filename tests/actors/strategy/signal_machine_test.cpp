#include "actors/strategy/signal_machine.hpp"

#include <doctest/doctest.h>

#include <random>
#include <vector>

using namespace backtest;

namespace {

constexpr instant opened_at = 1'704'067'200'000; // 2024-01-01

signal_machine open_machine(position_side side, double target, double stop) {
  auto signal = std::make_shared<signal_row>();
  signal->position = side;
  signal->price_open = 100;
  signal->price_take_profit = target;
  signal->price_stop_loss = stop;
  signal->minute_estimated_time = 1000;
  signal->scheduled_at = opened_at;
  signal->pending_at = opened_at;
  signal_machine machine{trading_rules{}, interval::m1};
  const double price = 100;
  machine.open(signal, &price);
  return machine;
}

/// The same minute by minute.
std::size_t examine_one_by_one(signal_machine& machine, const std::vector<double>& prices) {
  for (std::size_t i = 0; i < prices.size(); ++i) {
    auto next = machine;
    if (next.examine_pending(opened_at + static_cast<instant>(i + 1) * minute_ms, &prices[i],
                             nullptr) != pending_step::active)
      return i;
    machine = next;
  }
  return prices.size();
}

} // namespace

TEST_CASE("signal machine: minutes passed at once are those passed one by one") {
  std::mt19937 random{5};
  for (int round = 0; round < 3000; ++round) {
    const bool is_long = random() % 2 == 0;
    const auto side = is_long ? position_side::long_side : position_side::short_side;
    auto at_once = open_machine(side, is_long ? 130 : 70, is_long ? 70 : 130);
    auto one_by_one = at_once;
    std::vector<double> prices(random() % 60);
    double price = 100;
    for (auto& item : prices)
      item = price += static_cast<double>(random() % 1001) / 100 - 5; // reaches both ends exactly
    CAPTURE(round);
    REQUIRE(at_once.pass_active(prices) == examine_one_by_one(one_by_one, prices));
    REQUIRE(at_once.memory() == one_by_one.memory());
  }
}

TEST_CASE("signal machine: a price at the target or the stop ends the stretch") {
  const std::vector<double> rising{101, 102, 103, 104, 105, 106, 107, 108, 109, 110, 109};
  auto long_position = open_machine(position_side::long_side, 110, 90);
  CHECK(long_position.pass_active(rising) == 9);
  CHECK(long_position.last_price() == 109);
  CHECK(long_position.memory().highest == 109);
  CHECK(long_position.memory().lowest == 100);
  auto short_position = open_machine(position_side::short_side, 90, 104);
  CHECK(short_position.pass_active(rising) == 3);
  CHECK(short_position.last_price() == 103);
  CHECK(short_position.pass_active({}) == 0);
  CHECK(short_position.last_price() == 103);
}
