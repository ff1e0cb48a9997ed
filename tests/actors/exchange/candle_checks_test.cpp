#include "actors/exchange/candle_checks.hpp"

#include "tests/actors/exchange/candle_fixtures.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

using namespace backtest;
using namespace backtest::test;

namespace {

const configuration defaults;

std::optional<candle_fault> check(const std::vector<candle>& batch,
                                  const configuration& limits = defaults) {
  return check_candles(batch, interval::m1, limits);
}

/// Ten sound candles, one of them changed.
template <class Change>
std::optional<candle_fault> check_changed(std::size_t index, Change change) {
  std::vector<candle> batch;
  for (int i = 0; i < 10; ++i)
    batch.push_back(flat_candle(i));
  change(batch[index]);
  return check(batch);
}

void check_message(const std::optional<candle_fault>& fault, std::size_t index,
                   std::string_view message) {
  REQUIRE(fault.has_value());
  CHECK(fault->index == index);
  CHECK(fault->message == message);
}

} // namespace

TEST_CASE("lifecycle 2, checks: sound, empty and gappy batches pass") {
  CHECK_FALSE(check({}));
  CHECK_FALSE(check({flat_candle(0)}));
  CHECK_FALSE(check({flat_candle(0), flat_candle(1), flat_candle(700)}));
  CHECK_FALSE(check({{new_year, 2, 3, 1, 2.5, 0}}));
}

TEST_CASE("lifecycle 2, checks: every kind of bad candle is named with its value") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinite = std::numeric_limits<double>::infinity();
  check_message(check_changed(3, [&](candle& c) { c.close = nan; }), 3,
                "close is nan; expected a finite price > 0");
  check_message(check_changed(0, [&](candle& c) { c.high = infinite; }), 0,
                "high is inf; expected a finite price > 0");
  check_message(check_changed(9, [&](candle& c) { c.low = 0; }), 9,
                "low is 0; expected a finite price > 0");
  check_message(check_changed(4, [&](candle& c) { c.open = -1; }), 4,
                "open is -1; expected a finite price > 0");
  check_message(check_changed(4, [&](candle& c) { c.volume = -0.5; }), 4,
                "volume is -0.5; expected a finite number >= 0");
  check_message(check_changed(4, [&](candle& c) { c.volume = infinite; }), 4,
                "volume is inf; expected a finite number >= 0");
  check_message(check_changed(5, [&](candle& c) { c.low = 101; }), 5,
                "open 100, high 100, low 101, close 100: expected low <= open, close <= high");
  check_message(check_changed(5, [&](candle& c) { c.close = 101; }), 5,
                "open 100, high 100, low 100, close 101: expected low <= open, close <= high");
  check_message(check_changed(2, [&](candle& c) { c.open_time += 1; }), 2,
                "open_time 1704067320001 is not aligned; expected a multiple of 60000 ms (1m)");
  check_message(check_changed(2, [&](candle& c) { c.open_time -= minute_ms; }), 2,
                "open_time 1704067260000 does not follow 1704067260000; expected strictly "
                "increasing open times");
}

TEST_CASE("lifecycle 2, checks: alignment follows the interval") {
  CHECK_FALSE(check_candles(std::vector{flat_candle(60)}, interval::h1, defaults));
  CHECK(check_candles(std::vector{flat_candle(61)}, interval::h1, defaults));
}

TEST_CASE("lifecycle 2, checks: no price below the median of the batch / 1000") {
  // 40 prices: 36 of 100 and the changed candle's; the median is 100.
  check_message(check_changed(6, [](candle& c) { c.low = 0.099; }), 6,
                "low 0.099 is an anomaly; expected at least 0.1 (the median of the batch's 40 "
                "prices, 100, divided by 1000)");
  CHECK_FALSE(check_changed(6, [](candle& c) { c.low = 0.1; }));
  // A spike upwards does not make the others anomalies.
  CHECK_FALSE(check_changed(6, [](candle& c) { c.high = 1e9; }));
}

TEST_CASE("lifecycle 2, checks: the mean decides in a batch of fewer than five candles") {
  // Mean of 16 prices: (15 * 1 + 20000) / 16 = 1250.9; the median would be 1.
  std::vector<candle> batch;
  for (int i = 0; i < 4; ++i)
    batch.push_back(flat_candle(i, 1));
  batch[2].high = 20'000;
  check_message(check(batch), 0,
                "open 1 is an anomaly; expected at least 1.2509375 (the mean of the batch's 16 "
                "prices, 1250.9375, divided by 1000)");
  batch.push_back(flat_candle(4, 1));
  CHECK_FALSE(check(batch));
  configuration strict;
  strict.get_candles_min_candles_for_median = 6;
  CHECK(check(batch, strict));
}

TEST_CASE("lifecycle 2, checks: equal prices are no anomaly, whatever the factor") {
  configuration strict;
  strict.get_candles_price_anomaly_threshold_factor = 1;
  CHECK_FALSE(check({flat_candle(0, 0.1), flat_candle(1, 0.1), flat_candle(2, 0.1)}, strict));
}

TEST_CASE("lifecycle 2, checks: the first bad candle is named, of either kind") {
  std::vector<candle> batch;
  for (int i = 0; i < 10; ++i)
    batch.push_back(flat_candle(i));
  batch[7].volume = -1;
  batch[5].low = 0.01;
  CHECK(check(batch)->index == 5);
  batch[2].volume = -1;
  CHECK(check(batch)->index == 2);
}

TEST_CASE("lifecycle 2, checks: agrees with the definition, taken literally") {
  std::mt19937_64 random{20240101};
  for (int round = 0; round < 3000; ++round) {
    configuration limits;
    limits.get_candles_price_anomaly_threshold_factor = 1 + static_cast<int>(random() % 4);
    const auto size = 1 + random() % 9;
    std::vector<candle> batch;
    std::vector<double> prices;
    for (std::size_t i = 0; i < size; ++i) {
      std::array<double, 4> p{};
      for (double& price : p)
        price = static_cast<double>(1 + random() % 12);
      std::sort(p.begin(), p.end());
      batch.push_back({new_year + static_cast<instant>(i) * minute_ms, p[1], p[3], p[0], p[2], 1});
      prices.insert(prices.end(), p.begin(), p.end());
    }
    std::sort(prices.begin(), prices.end());
    double sum = 0;
    for (const double price : prices)
      sum += price;
    const double reference =
        size >= 5 ? prices[prices.size() / 2] : sum / static_cast<double>(prices.size());
    const double lowest =
        reference / static_cast<double>(limits.get_candles_price_anomaly_threshold_factor);
    std::optional<std::size_t> expected;
    for (std::size_t i = 0; i < size && !expected; ++i)
      if (batch[i].low < lowest)
        expected = i;
    const auto fault = check(batch, limits);
    REQUIRE(fault.has_value() == expected.has_value());
    if (fault)
      REQUIRE(fault->index == *expected);
  }
}
