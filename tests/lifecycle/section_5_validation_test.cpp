#include "tests/support/scenario.hpp"

#include "actors/strategy/signal_validation.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

using namespace backtest;
using namespace backtest::testing;

namespace {

signal_row sound_long() {
  signal_row row;
  row.id = "id";
  row.symbol = "BTC";
  row.strategy_name = "s";
  row.exchange_name = "paper";
  row.price_open = 100;
  row.price_take_profit = 110;
  row.price_stop_loss = 90;
  row.minute_estimated_time = 60;
  row.scheduled_at = at_minute(0);
  row.pending_at = at_minute(0);
  return row;
}

signal_row sound_short() {
  auto row = sound_long();
  row.position = position_side::short_side;
  std::swap(row.price_take_profit, row.price_stop_loss);
  return row;
}

texts violations(const signal_row& row, double price = 100, bool immediate = true,
                 const configuration& parameters = {}) {
  return violations_of(row, immediate, price, parameters);
}

/// The sound signal with a change.
template <class Change>
signal_row changed(Change change, signal_row row = sound_long()) {
  change(row);
  return row;
}

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

} // namespace

TEST_CASE("lifecycle 5: sound signals break no rule") {
  CHECK(violations(sound_long()) == texts{});
  CHECK(violations(sound_short()) == texts{});
  CHECK(violations(sound_long(), 150, false) == texts{});
}

TEST_CASE("lifecycle 5: all violations of one signal are reported together, in one error") {
  scenario market;
  market.prices({100});
  market.frame_minutes(0, 0);
  market.strategy(signals({{0, go_long(99, 101, 0)}}));
  CHECK(market.facts() == texts{"0 invalid_signal"});
  const auto message = market.first_error().message;
  for (const auto* part : {"price_take_profit 99 must be > price_open 100",
                           "price_stop_loss 101 must be < price_open 100",
                           "minute_estimated_time must be a positive integer, got 0"})
    CHECK_MESSAGE(message.find(part) != std::string::npos, message);
}

TEST_CASE("lifecycle 5.1: ids and names non-empty") {
  CHECK(violations(changed([](auto& row) { row.id = ""; })) == texts{"id must not be empty"});
  CHECK(violations(changed([](auto& row) { row.symbol = ""; })) ==
        texts{"symbol must not be empty"});
  CHECK(violations(changed([](auto& row) { row.strategy_name = ""; })) ==
        texts{"strategy_name must not be empty"});
  CHECK(violations(changed([](auto& row) { row.exchange_name = ""; })) ==
        texts{"exchange_name must not be empty"});
}

TEST_CASE("lifecycle 5.1: position is long or short") {
  CHECK(parse_position_side("long") == position_side::long_side);
  CHECK(parse_position_side("short") == position_side::short_side);
  CHECK_FALSE(parse_position_side("flat"));
}

TEST_CASE("lifecycle 5.1: every price finite and > 0, the current price too") {
  for (const double bad : {0.0, -1.0, not_a_number, infinity, -infinity}) {
    CAPTURE(bad);
    const auto refused = [](const texts& found, const std::string& field) {
      return found.size() == 1 &&
             found[0].starts_with(fmt::format("{} must be positive and finite", field));
    };
    CHECK(refused(violations(changed([&](auto& row) { row.price_open = bad; })), "price_open"));
    CHECK(refused(violations(changed([&](auto& row) { row.price_take_profit = bad; })),
                  "price_take_profit"));
    CHECK(refused(violations(changed([&](auto& row) { row.price_stop_loss = bad; })),
                  "price_stop_loss"));
    CHECK(refused(violations(sound_long(), bad), "current price"));
    CHECK(refused(violations(sound_long(), bad, false), "current price"));
  }
}

TEST_CASE("lifecycle 5.2: long: stop_loss < open < take_profit") {
  configuration off;
  off.min_takeprofit_distance_percent = off.min_stoploss_distance_percent = 0;
  const auto count = [&](double target, double stop) {
    auto row = sound_long();
    row.price_take_profit = target;
    row.price_stop_loss = stop;
    return violations(row, 100, false, off).size();
  };
  CHECK(count(100.01, 99.99) == 0);
  CHECK(count(100, 90) == 2); // the order, and the entry no longer strictly between
  CHECK(count(99, 90) == 2);
  CHECK(count(110, 100) == 2);
  CHECK(count(110, 101) == 2);
}

TEST_CASE("lifecycle 5.2: short: take_profit < open < stop_loss") {
  configuration off;
  off.min_takeprofit_distance_percent = off.min_stoploss_distance_percent = 0;
  const auto count = [&](double target, double stop) {
    auto row = sound_short();
    row.price_take_profit = target;
    row.price_stop_loss = stop;
    return violations(row, 100, false, off).size();
  };
  CHECK(count(99.99, 100.01) == 0);
  CHECK(count(100, 110) == 2);
  CHECK(count(101, 110) == 2);
  CHECK(count(90, 100) == 2);
  CHECK(count(90, 99) == 2);
}

TEST_CASE("lifecycle 5.3: immediate: the current price lies strictly between stop and target") {
  for (const auto& row : {sound_long(), sound_short()}) {
    CHECK(violations(row, 90.01).empty());
    CHECK(violations(row, 109.99).empty());
    CHECK(violations(row, 90).size() == 1);
    CHECK(violations(row, 110).size() == 1);
    CHECK(violations(row, 80).size() == 1);
    CHECK(violations(row, 120).size() == 1);
  }
}

TEST_CASE("lifecycle 5.3: a given entry already reached is immediate: the current price counts") {
  scenario market;
  market.prices({85});
  market.frame_minutes(0, 0);
  market.strategy(signals({{0, entering_at(100, go_long(110, 90))}}));
  CHECK(market.facts() == texts{"0 invalid_signal"});
}

TEST_CASE("lifecycle 5.3: scheduled: price_open does, the current price may be anywhere") {
  CHECK(violations(sound_long(), 120, false).empty());
  CHECK(violations(sound_short(), 80, false).empty());
}

TEST_CASE("lifecycle 5.4: distance to take profit at least 0.5 % of price_open") {
  const auto count = [](double target, const configuration& parameters = {}) {
    return violations(changed([&](auto& row) { row.price_take_profit = target; }), 100, true,
                      parameters)
        .size();
  };
  CHECK(count(100.5) == 0);
  CHECK(count(100.49) == 1);
  configuration off;
  off.min_takeprofit_distance_percent = 0;
  CHECK(count(100.01, off) == 0);
  configuration two;
  two.min_takeprofit_distance_percent = 2;
  CHECK(count(101.9, two) == 1);
  CHECK(count(102, two) == 0);
}

TEST_CASE("lifecycle 5.4: distance to stop loss at least 0.5 % and at most 20 % of price_open") {
  const auto count = [](double stop, const configuration& parameters = {}) {
    return violations(changed([&](auto& row) { row.price_stop_loss = stop; }), 100, true,
                      parameters)
        .size();
  };
  CHECK(count(99.5) == 0);
  CHECK(count(99.51) == 1);
  CHECK(count(80) == 0);
  CHECK(count(79.99) == 1);
  configuration off;
  off.min_stoploss_distance_percent = off.max_stoploss_distance_percent = 0;
  CHECK(count(99.99, off) == 0);
  CHECK(count(1, off) == 0);
}

TEST_CASE("lifecycle 5.4: distances are measured on the other side for a short") {
  const auto count = [](double target, double stop) {
    return violations(changed(
                          [&](auto& row) {
                            row.price_take_profit = target;
                            row.price_stop_loss = stop;
                          },
                          sound_short()))
        .size();
  };
  CHECK(count(99.5, 100.5) == 0);
  CHECK(count(99.51, 100.5) == 1);
  CHECK(count(99.5, 100.49) == 1);
  CHECK(count(90, 120) == 0);
  CHECK(count(90, 120.01) == 1);
}

TEST_CASE("lifecycle 5.5: minute_estimated_time > 0 and <= max_signal_lifetime_minutes") {
  const auto count = [](std::int64_t minutes, const configuration& parameters = {}) {
    return violations(changed([&](auto& row) { row.minute_estimated_time = minutes; }), 100, true,
                      parameters)
        .size();
  };
  CHECK(count(1) == 0);
  CHECK(count(1440) == 0);
  CHECK(count(0) == 1);
  CHECK(count(-5) == 1);
  CHECK(count(1441) == 1);
  configuration longer;
  longer.max_signal_lifetime_minutes = 10'000;
  CHECK(count(10'000, longer) == 0);
  CHECK(count(10'001, longer) == 1);
}

TEST_CASE("lifecycle 5.6: scheduled_at > 0, pending_at > 0 once opened") {
  CHECK(violations(changed([](auto& row) { row.scheduled_at = 0; })).size() == 1);
  CHECK(violations(changed([](auto& row) { row.pending_at = 0; })).size() == 1);
  CHECK(violations(changed([](auto& row) { row.pending_at.reset(); }), 100, false).empty());
}
