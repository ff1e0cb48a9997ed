#include "actors/exchange/minute_prices.hpp"

#include "actors/exchange/average_price.hpp"
#include "actors/exchange/series_market.hpp"
#include "tests/actors/exchange/candle_fixtures.hpp"

#include <doctest/doctest.h>

#include <random>

using namespace backtest;
using namespace backtest::test;

namespace {

/// Minutes with gaps of every length and stretches in which nothing was traded.
candle_series random_minutes(std::uint32_t seed, std::size_t count) {
  std::mt19937 random{seed};
  const auto below = [&random](std::uint32_t bound) {
    return static_cast<std::int32_t>(random() % bound);
  };
  candle_series series{"BTCUSDT", interval::m1, {}};
  instant open_time = new_year;
  bool traded = true;
  for (std::size_t i = 0; i < count; ++i) {
    if (below(20) == 0)
      traded = !traded;
    open_time += minute_ms * (below(10) == 0 ? 1 + below(12) : 1);
    const double low = 100 + below(1000) / 7.0;
    series.candles.push_back({open_time, low + 1, low + 3 + below(50) / 3.0, low, low + 2,
                              traded ? below(1000) / 11.0 : 0});
  }
  return series;
}

} // namespace

TEST_CASE("lifecycle 2, price: tabled prices are those of their windows to the last digit") {
  for (std::uint32_t seed = 0; seed < 40; ++seed)
    for (const std::int64_t window : {1, 2, 5, 7, 32}) {
      const auto series = random_minutes(seed, seed * 37);
      const auto table = tabulate_prices(series, window);
      REQUIRE(table);
      REQUIRE(table->window == window);
      REQUIRE(table->prices.size() == series.candles.size());
      const std::span<const candle> candles{series.candles};
      for (std::size_t i = 0; i < candles.size(); ++i) {
        CAPTURE(seed);
        CAPTURE(window);
        CAPTURE(i);
        REQUIRE(table->prices[i] ==
                windowed_price(candles.first(i + 1), candles[i].open_time + minute_ms, window));
      }
    }
}

TEST_CASE("lifecycle 2, price: windows too long for a table have none") {
  CHECK(tabulate_prices(flat_series({0, 1, 2}), longest_tabled_window));
  CHECK_FALSE(tabulate_prices(flat_series({0, 1, 2}), longest_tabled_window + 1));
}

TEST_CASE("lifecycle 2, price: a source is told the same price with and without a table") {
  const auto series = std::make_shared<const candle_series>(random_minutes(3, 400));
  series_market tabled{"BTCUSDT", 5, {}, {}};
  tabled.provide({series, INT64_MIN, INT64_MAX, tabulate_prices(*series, 5)});
  series_market plain{"BTCUSDT", 5, {}, {}};
  plain.provide({series, INT64_MIN, INT64_MAX});
  series_market other_window{"BTCUSDT", 3, {}, {}};
  other_window.provide({series, INT64_MIN, INT64_MAX, tabulate_prices(*series, 5)});
  series_market three{"BTCUSDT", 3, {}, {}};
  three.provide({series, INT64_MIN, INT64_MAX});
  const auto price_at = [](series_market& market, instant when) {
    try {
      return market.average_price("BTCUSDT", when);
    } catch (const failure& caught) {
      CHECK(caught.code() == error_code::data_gap);
      return 0.0;
    }
  };
  for (instant when = new_year; when < series->end() + 10 * minute_ms; when += minute_ms) {
    CHECK(price_at(tabled, when) == price_at(plain, when));
    CHECK(price_at(other_window, when) == price_at(three, when));
  }
  CHECK_FALSE(other_window.prices_of_minutes());
}
