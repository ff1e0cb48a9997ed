#include "runtime/gap_ranges.hpp"

#include <doctest/doctest.h>

using namespace backtest;

namespace {

constexpr instant third_of_january = 1'704'240'000'000;

constexpr instant at(std::int64_t hour, std::int64_t minute) {
  return third_of_january + (hour * 60 + minute) * minute_ms;
}

} // namespace

TEST_CASE("gap ranges: instants that follow each other are one range, with their count") {
  gap_ranges gaps;
  for (std::int64_t minute = 0; minute <= 42; ++minute)
    CHECK(gaps.add(at(10, minute)) == (minute > 0));
  CHECK_FALSE(gaps.add(at(11, 0)));
  CHECK_FALSE(gaps.add(at(13, 59)));
  CHECK(gaps.add(at(14, 0)));
  CHECK(gaps.ranges() == std::vector<gap_range>{{at(10, 0), at(10, 42), 43, minute_ms},
                                                {at(11, 0), at(11, 0), 1, 0},
                                                {at(13, 59), at(14, 0), 2, minute_ms}});
  CHECK(to_text(gaps.ranges()[0]) == "2024-01-03T10:00Z - 10:42Z: 43 minutes");
  CHECK(to_text(gaps.ranges()[1]) == "2024-01-03T11:00Z: 1 minute");
}

TEST_CASE("gap ranges: over midnight both days are named") {
  gap_ranges gaps;
  gaps.add(at(23, 59));
  gaps.add(at(24, 0));
  CHECK(to_text(gaps.ranges()[0]) == "2024-01-03T23:59Z - 2024-01-04T00:00Z: 2 minutes");
}

TEST_CASE(
    "gap ranges: instants of a frame's step, or of a strategy's interval, follow each other") {
  gap_ranges hours{60 * minute_ms};
  for (std::int64_t hour = 3; hour < 6; ++hour)
    hours.add(at(hour, 0));
  REQUIRE(hours.ranges().size() == 1);
  CHECK(to_text(hours.ranges()[0]) == "2024-01-03T03:00Z - 05:00Z: 3 instants");
  gap_ranges quarters;
  quarters.add(at(3, 0));
  quarters.add(at(3, 15));
  CHECK_FALSE(quarters.add(at(3, 40)));
  CHECK(quarters.ranges().front().count == 2);
}
