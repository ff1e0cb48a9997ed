#include "actors/exchange/aggregate.hpp"

#include "actors/exchange/synthetic_candles.hpp"
#include "tests/actors/exchange/candle_fixtures.hpp"

#include <doctest/doctest.h>

using namespace backtest;
using namespace backtest::test;

TEST_CASE("decisions, Minute data: open of first, max, min, close of last, sum of volumes") {
  candle_series minutes{"X", interval::m1, {}};
  minutes.candles = {{new_year, 10, 12, 9, 11, 1},
                     {new_year + minute_ms, 11, 15, 10, 14, 2},
                     {new_year + 2 * minute_ms, 14, 14.5, 8, 8.5, 4},
                     {new_year + 3 * minute_ms, 8.5, 9, 8.5, 9, 8}};
  const auto result = aggregate(minutes, interval::m3);
  CHECK(result.symbol == "X");
  CHECK(result.size == interval::m3);
  CHECK(result.candles == std::vector<candle>{{new_year, 10, 15, 8, 8.5, 7},
                                              {new_year + 3 * minute_ms, 8.5, 9, 8.5, 9, 8}});
}

TEST_CASE("decisions, Minute data: an aggregate is a gap only if all its minutes are missing") {
  // 5m buckets 0, 5, 10, 15: minute 4 alone, none, two, the first of an incomplete one.
  const auto result = aggregate(flat_series({4, 11, 13, 15}), interval::m5);
  CHECK(result.candles ==
        std::vector<candle>{flat_candle(0), flat_candle(10, 100, 2), flat_candle(15)});
}

TEST_CASE("lifecycle 1, intervals: aggregates are aligned to UTC, not to the first minute") {
  const auto result = aggregate(flat_series({359, 360, 719, 720, 1440}), interval::h4);
  CHECK(result.candles == std::vector<candle>{flat_candle(240, 100, 2), flat_candle(480),
                                              flat_candle(720), flat_candle(1440)});
  CHECK(aggregate(flat_series({359, 1439, 1440}), interval::d1).candles ==
        std::vector<candle>{flat_candle(0, 100, 2), flat_candle(1440)});
}

TEST_CASE("decisions, Minute data: one minute is itself, nothing stays nothing") {
  const auto minutes = flat_series({0, 1, 5});
  CHECK(aggregate(minutes, interval::m1) == minutes);
  CHECK(aggregate(flat_series({}), interval::h1).empty());
}

TEST_CASE("decisions, Minute data: only minutes are aggregated, to at most a day") {
  CHECK(error_of([] { aggregate(flat_series({0}), interval::d3); })->message ==
        "aggregate BTCUSDT: interval 3d; expected 1m to 1d");
  CHECK(error_of([] {
          aggregate({"X", interval::m5, {}}, interval::h1);
        })->message == "aggregate X: candles of 5m given; expected 1m");
}

TEST_CASE("decisions, Minute data: every interval is made of exactly its own minutes") {
  auto minutes =
      generate_candles(9, "X", 100, 0.8, new_year + 777 * minute_ms, new_year + 3 * day_ms);
  for (auto& item : minutes.candles)
    item.volume = 1;
  for (auto size = interval::m1; size <= interval::d1;
       size = static_cast<interval>(static_cast<int>(size) + 1)) {
    const auto result = aggregate(minutes, size);
    double total = 0;
    for (std::size_t i = 0; i < result.candles.size(); ++i) {
      const auto& bucket = result.candles[i];
      REQUIRE(bucket.open_time % length_of(size) == 0);
      if (i > 0 && i + 1 < result.candles.size())
        REQUIRE(bucket.volume == static_cast<double>(length_of(size) / minute_ms));
      total += bucket.volume;
    }
    CHECK(total == 3 * 1440 - 777);
    CHECK(result.candles.back().close == minutes.candles.back().close);
  }
}
