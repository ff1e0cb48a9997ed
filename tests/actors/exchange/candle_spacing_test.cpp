#include "actors/exchange/candle_spacing.hpp"

#include "tests/actors/exchange/candle_fixtures.hpp"

#include <doctest/doctest.h>

#include <random>

using namespace backtest;
using namespace backtest::test;

namespace {

/// One-minute candles of a market in which a minute is traded with this probability.
candle_series sparse_series(std::uint64_t seed, double probability, int minutes) {
  std::mt19937_64 random{seed};
  candle_series series{"X", interval::m1, {}};
  for (int i = 0; i < minutes; ++i)
    if (static_cast<double>(random() >> 11) * 0x1p-53 < probability)
      series.candles.push_back(flat_candle(i));
  return series;
}

/// Candles of so many minutes, some of them missing.
candle_series coarse_series(std::uint64_t seed, int minutes, double probability, int count) {
  auto series = sparse_series(seed, probability, count);
  for (auto& item : series.candles)
    item.open_time = new_year + (item.open_time - new_year) * minutes;
  return series;
}

} // namespace

TEST_CASE("candle spacing: candles of one minute, however few, are not taken for larger ones") {
  for (std::uint64_t seed = 0; seed < 40; ++seed)
    for (const double probability : {0.9, 0.5, 0.3, 0.1, 0.03, 0.005}) {
      CAPTURE(seed);
      CAPTURE(probability);
      const auto series = sparse_series(seed, probability, 10'000);
      CHECK_FALSE(find_coarse_file(series.candles, interval::m1));
      CHECK_FALSE(find_coarse_batch(series.candles, interval::m1));
    }
}

TEST_CASE("candle spacing: larger candles are found, also when most of them are missing") {
  for (const int minutes : {2, 3, 5, 15, 60, 240, 1440, 10'080})
    for (const double probability : {1.0, 0.7, 0.3, 0.1, 0.02})
      for (std::uint64_t seed = 0; seed < 10; ++seed) {
        CAPTURE(minutes);
        CAPTURE(probability);
        CAPTURE(seed);
        const auto series = coarse_series(seed, minutes, probability, 2000);
        CHECK(find_coarse_file(series.candles, interval::m1).has_value());
      }
  const auto coarse = coarse_series(0, 5, 1, 288);
  CHECK(find_coarse_file(coarse.candles, interval::m1) == coarse_spacing{1, 5 * minute_ms});
  CHECK(find_coarse_batch(coarse.candles, interval::m1) == coarse_spacing{1, 5 * minute_ms});
  CHECK_FALSE(find_coarse_file(coarse.candles, interval::m5));
  CHECK_FALSE(find_coarse_batch(coarse.candles, interval::m5));
}

TEST_CASE("candle spacing: a stray candle does not hide the usual spacing of a file") {
  auto series = coarse_series(0, 5, 1, 100);
  series.candles.push_back(flat_candle(501));
  series.candles.push_back(flat_candle(502));
  CHECK(find_coarse_file(series.candles, interval::m1).has_value());
  CHECK_FALSE(find_coarse_batch(series.candles, interval::m1)); // not sure enough
}

TEST_CASE("candle spacing: a batch of a few candles tells nothing") {
  CHECK_FALSE(find_coarse_batch(coarse_series(0, 5, 1, 11).candles, interval::m1));
  CHECK(find_coarse_batch(coarse_series(0, 5, 1, 12).candles, interval::m1).has_value());
  CHECK_FALSE(find_coarse_batch({}, interval::m1));
  CHECK_FALSE(find_coarse_file({}, interval::m1));
}

TEST_CASE("candle spacing: lengths as people write them") {
  CHECK(length_text(minute_ms) == "1m");
  CHECK(length_text(90 * minute_ms) == "90m");
  CHECK(length_text(4 * hour_ms) == "4h");
  CHECK(length_text(7 * day_ms) == "7d");
  CHECK(length_text(14'838) == "14838 ms");
}
