#include "actors/exchange/average_price.hpp"

#include "tests/actors/exchange/candle_fixtures.hpp"

#include <doctest/doctest.h>

#include <limits>

using namespace backtest;
using namespace backtest::test;

TEST_CASE("lifecycle 2, price: typical prices weighted by volume") {
  const std::vector<candle> window{{0, 1, 12, 9, 9, 1}, {60'000, 1, 24, 18, 18, 3}};
  CHECK(average_price(window) == 17.5); // (10 * 1 + 20 * 3) / 4
}

TEST_CASE("lifecycle 2, price: the plain mean of the closes when nothing was traded") {
  const std::vector<candle> window{{0, 1, 9, 1, 2, 0}, {60'000, 1, 9, 1, 4, 0}};
  CHECK(average_price(window) == 3);
}

TEST_CASE("lifecycle 2, price: sums are oldest first, to the last digit") {
  const std::vector<candle> window{{0, 0.1, 0.3, 0.1, 0.2, 0.7},
                                   {60'000, 0.2, 0.4, 0.1, 0.3, 1.1},
                                   {120'000, 0.3, 0.5, 0.2, 0.4, 0.3}};
  double value = 0;
  value += ((0.3 + 0.1 + 0.2) / 3) * 0.7;
  value += ((0.4 + 0.1 + 0.3) / 3) * 1.1;
  value += ((0.5 + 0.2 + 0.4) / 3) * 0.3;
  double volume = 0.7;
  volume += 1.1;
  volume += 0.3;
  CHECK(average_price(window) == value / volume);
}

TEST_CASE("lifecycle 2, price: the window is the last minutes, those that exist") {
  const auto series = flat_series({0, 1, 2, 3, 4, 5, 8, 9, 30});
  const auto window = [&](std::int64_t minute, std::int64_t count) {
    const instant when = new_year + minute * minute_ms;
    series_cursor cursor{series};
    const auto closed = cursor.candles().first(cursor.closed_at(when));
    std::vector<std::int64_t> minutes;
    for (const auto& item : price_window(closed, when, count))
      minutes.push_back((item.open_time - new_year) / minute_ms);
    return minutes;
  };
  using list = std::vector<std::int64_t>;
  CHECK(window(6, 5) == list{1, 2, 3, 4, 5});
  CHECK(window(6, 1) == list{5});
  CHECK(window(3, 5) == list{0, 1, 2});
  CHECK(window(10, 5) == list{5, 8, 9}); // a gap shortens the window
  CHECK(window(15, 5).empty());          // and empties it
  CHECK(window(0, 5).empty());
  CHECK(window(31, std::numeric_limits<std::int64_t>::max()).size() == 9);
}
