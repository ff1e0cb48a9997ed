#include "actors/frame/timeline.hpp"

#include "messages/error.hpp"

#include <vector>

#include <doctest/doctest.h>

using namespace backtest;

namespace {

constexpr instant start = 1'704'067'200'000 + 7 * minute_ms; // 2024-01-01T00:07

frame_schema frame(interval size, instant from, instant to) {
  return {"f", "", size, from, to, {}};
}

} // namespace

TEST_CASE("timeline: both ends belong to it when the step divides the span") {
  const auto line = timeline_of(frame(interval::m5, start, start + 10 * minute_ms));
  CHECK(line == timeline{start, start + 10 * minute_ms, 5 * minute_ms});
  CHECK(line.count() == 3);
}

TEST_CASE("timeline: the last instant is the last one <= end, steps count from start") {
  const auto line = timeline_of(frame(interval::h1, start, start + 179 * minute_ms));
  CHECK(line.first == start);
  CHECK(line.last == start + 120 * minute_ms);
  CHECK(line.count() == 3);
}

TEST_CASE("timeline: a frame of one instant, an end that is no whole minute") {
  CHECK(timeline_of(frame(interval::d3, start, start)).count() == 1);
  CHECK(timeline_of(frame(interval::m1, start, start + 59'999)).count() == 1);
  CHECK(timeline_of(frame(interval::m1, start, start + 60'000)).count() == 2);
}

TEST_CASE(
    "timeline: a start that is no whole minute, or after the end, is an error that names both") {
  CHECK_THROWS_WITH_AS(timeline_of(frame(interval::m1, start + 1, start + day_ms)),
                       "frame f: start 2024-01-01T00:07:00.001Z must be a whole minute", failure);
  CHECK_THROWS_WITH_AS(
      timeline_of(frame(interval::m1, start, start - minute_ms)),
      "frame f: start 2024-01-01T00:07:00Z must not be after end 2024-01-01T00:06:00Z", failure);
}

TEST_CASE("timeline: at_or_after and passed agree with a walk through the instants") {
  const auto line = timeline_of(frame(interval::m3, start, start + 20 * minute_ms));
  std::vector<instant> instants;
  for (instant when = start; when <= start + 20 * minute_ms; when += 3 * minute_ms)
    instants.push_back(when);
  REQUIRE(line.count() == std::ssize(instants));
  for (instant when = start - 4 * minute_ms; when <= start + 25 * minute_ms; when += 30'000) {
    CAPTURE(when - start);
    std::int64_t before = 0;
    for (const auto item : instants)
      before += item < when;
    CHECK(line.passed(when) == before);
    if (before < line.count())
      CHECK(line.at_or_after(when) == instants[static_cast<std::size_t>(before)]);
    else
      CHECK(line.at_or_after(when) > line.last);
  }
}
