#include "messages/candle.hpp"
#include "messages/time.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace backtest;

TEST_CASE("times: ISO 8601 in UTC, milliseconds when not zero") {
  CHECK(to_iso(0) == "1970-01-01T00:00:00Z");
  CHECK(to_iso(1704067200000) == "2024-01-01T00:00:00Z");
  CHECK(to_iso(1704067200250) == "2024-01-01T00:00:00.250Z");
  CHECK(to_iso(-1) == "1969-12-31T23:59:59.999Z");
  CHECK(to_iso_milliseconds(1704067200000) == "2024-01-01T00:00:00.000Z");
}

TEST_CASE("times: what is read back is what was written") {
  for (instant when : {instant{0}, instant{1704067200000}, instant{1735689599999}, instant{-86400001}})
    CHECK(parse_iso(to_iso(when)) == when);
  CHECK(parse_iso("2024-02-29") == 1709164800000);
  CHECK(parse_iso("2024-02-29T12:30") == 1709209800000);
}

TEST_CASE("times: malformed dates are refused") {
  for (auto text : {"", "2024", "2023-02-29", "2024-13-01", "2024-01-01T24:00:00Z", "2024-01-01 00:00",
                    "2024-01-01T00:00:00+01:00", "2024-01-01T00:00:00Zx", "2024-01-01T00:00:00.1Z"})
    CHECK_FALSE(parse_iso(text).has_value());
}

TEST_CASE("times: alignment rounds towards minus infinity, also before 1970") {
  CHECK(align_down(-1, minute_ms) == -minute_ms);
  CHECK(align_down(119'999, minute_ms) == minute_ms);
  CHECK(align_up(60'001, minute_ms) == 2 * minute_ms);
  CHECK(align_up(60'000, minute_ms) == minute_ms);
}

TEST_CASE("intervals: names and lengths") {
  CHECK(parse_interval("15m") == interval::m15);
  CHECK_FALSE(parse_interval("7m").has_value());
  CHECK(length_of(interval::d3) == 3 * day_ms);
  CHECK(to_string(interval::h12) == "12h");
}

TEST_CASE("series cursor: counts closed candles with and without gaps, forwards and backwards") {
  candle_series series;
  for (instant minute : {10, 11, 12, 15, 16, 4000, 4001})
    series.candles.push_back({minute * minute_ms, 1, 1, 1, 1, 1});
  const auto expected = [&](instant when) {
    std::size_t count = 0;
    for (const auto& item : series.candles)
      count += item.open_time + minute_ms <= when ? 1 : 0;
    return count;
  };
  series_cursor forward{series};
  for (instant minute = 0; minute < 4100; ++minute)
    REQUIRE(forward.closed_at(minute * minute_ms) == expected(minute * minute_ms));
  series_cursor jumping{series};
  for (instant minute : {4002, 5, 13, 12, 4001, 17, 4100, 0, 16})
    REQUIRE(jumping.closed_at(minute * minute_ms) == expected(minute * minute_ms));
}

TEST_CASE("series cursor: counts closed candles where none is missing") {
  for (const std::size_t count : {0U, 1U, 2U, 50U}) {
    candle_series series{"BTC", interval::m15, {}};
    for (std::size_t i = 0; i < count; ++i)
      series.candles.push_back({day_ms + static_cast<instant>(i) * 15 * minute_ms, 1, 1, 1, 1, 1});
    series_cursor cursor{series};
    CHECK(cursor.is_whole() == (count > 0));
    const auto expected = [&](instant when) {
      const auto closed = align_down(when - day_ms, 15 * minute_ms) / (15 * minute_ms);
      return std::clamp<instant>(closed, 0, static_cast<instant>(count));
    };
    for (instant when = day_ms - 40 * minute_ms; when < day_ms + 800 * minute_ms; when += minute_ms)
      REQUIRE(static_cast<instant>(cursor.closed_at(when)) == expected(when));
    for (const instant minute : {799, 3, -20, 14, 15, 760, 16, 0, 750})
      REQUIRE(static_cast<instant>(cursor.closed_at(day_ms + minute * minute_ms)) ==
              expected(day_ms + minute * minute_ms));
  }
}

TEST_CASE("series cursor: says whether the newest closed candle closed at the instant") {
  candle_series gapped;
  for (const instant minute : {10, 11, 15})
    gapped.candles.push_back({minute * minute_ms, 1, 1, 1, 1, 1});
  series_cursor cursor{gapped};
  CHECK_FALSE(cursor.is_whole());
  const auto ends_at = [&cursor](instant minute) {
    const auto when = minute * minute_ms;
    return cursor.ends_at(cursor.closed_at(when), when);
  };
  CHECK_FALSE(ends_at(10));
  CHECK(ends_at(11));
  CHECK(ends_at(12));
  CHECK_FALSE(ends_at(13));
  CHECK_FALSE(ends_at(15));
  CHECK(ends_at(16));
  CHECK_FALSE(ends_at(17));
}
