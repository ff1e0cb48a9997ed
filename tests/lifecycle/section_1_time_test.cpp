#include "tests/support/scenario.hpp"

#include <doctest/doctest.h>

#include <cstdlib>

using namespace backtest;
using namespace backtest::testing;

namespace {

/// Open times (in minutes) of what a strategy is given at one minute.
std::vector<std::int64_t> seen_at(std::int64_t minute, interval size, std::int64_t limit,
                                  bool present = false) {
  scenario market;
  for (std::int64_t close = -2879; close <= 1440; ++close)
    market.candles().push_back(closing_at(close, 100));
  market.frame_minutes(minute, minute);
  std::vector<std::int64_t> opens;
  market.strategy([&](const run_context& context) -> std::optional<signal_request> {
    for (const auto& item :
         present ? context.candles_present(size, limit) : context.candles(size, limit))
      opens.push_back((item.open_time - minute_zero) / minute_ms);
    return std::nullopt;
  });
  CHECK(market.facts() == texts{});
  return opens;
}

using minutes = std::vector<std::int64_t>;

} // namespace

TEST_CASE("lifecycle 1: timestamps are Unix milliseconds, UTC, whatever the local time zone") {
  setenv("TZ", "Pacific/Kiritimati", 1);
  CHECK(to_iso(1'704'067'200'000) == "2024-01-01T00:00:00Z");
  CHECK(parse_iso("2024-01-01T00:00:00Z") == 1'704'067'200'000);
  CHECK(seen_at(241, interval::h4, 1) == minutes{0});
  unsetenv("TZ");
}

TEST_CASE("lifecycle 1: a candle covers its interval from o on and is closed at o+s") {
  CHECK(seen_at(9, interval::m5, 1) == minutes{0});
  CHECK(seen_at(10, interval::m5, 1) == minutes{5});
  CHECK(seen_at(11, interval::m5, 1) == minutes{5});
}

TEST_CASE("lifecycle 1: a candle is visible only if it is closed, on every path") {
  scenario market;
  market.prices({100, 101, 102, 103, 104, 105});
  market.frame_minutes(3, 3);
  market.strategy([](const run_context& context) -> std::optional<signal_request> {
    CHECK(context.when() == at_minute(3));
    CHECK(context.candles(interval::m1, 1).back().open_time == at_minute(2));
    CHECK(context.candles_present(interval::m1, 10).back().open_time == at_minute(2));
    CHECK(context.candles("BTC", interval::m1, 1).back().close == 103);
    CHECK(context.candles_present("BTC", interval::m1, 9).back().close == 103);
    CHECK(context.candles_present(interval::m3, 1).front().close == 103); // 0, 1, 2: closed at 3
    CHECK(context.average_price() == 103);
    CHECK(context.average_price("BTC") == 103);
    return std::nullopt;
  });
  CHECK(market.facts() == texts{});
}

TEST_CASE(
    "lifecycle 1: candles(limit) are exactly limit, oldest first, the newest closed at when") {
  CHECK(seen_at(7, interval::m1, 3) == minutes{4, 5, 6});
  CHECK(seen_at(7, interval::m1, 1) == minutes{6});
  CHECK(seen_at(7, interval::m3, 2) == minutes{0, 3});
  CHECK(seen_at(59, interval::h1, 2) == minutes{-120, -60});
  CHECK(seen_at(60, interval::h1, 2) == minutes{-60, 0});
}

TEST_CASE("lifecycle 1: a limit below 1 is refused") {
  for (const std::int64_t limit : {0, -1}) {
    scenario market;
    market.prices({100});
    market.frame_minutes(0, 0);
    market.strategy([limit](const run_context& context) -> std::optional<signal_request> {
      context.candles(interval::m1, limit);
      return std::nullopt;
    });
    CHECK(market.facts() == texts{"0 signal_source_failed"});
    CHECK(market.first_error().message.find("limit must be a positive integer") !=
          std::string::npos);
  }
}

TEST_CASE("lifecycle 1: candles fails with data_gap when one of them is a gap, slot used up") {
  scenario market;
  market.prices({100, {}, 100, 100, 100, 100, 100});
  market.frame_minutes(2, 6);
  int calls = 0;
  market
      .strategy([&calls](const run_context& context) -> std::optional<signal_request> {
        ++calls;
        context.candles(interval::m1, 3);
        return std::nullopt;
      })
      .size = interval::m3;
  CHECK(market.facts() == texts{"2 data_gap", "3 data_gap"}); // slots 0 and 3; 6 sees 3, 4, 5
  calls = 0;
  market.run();
  CHECK(calls == 3);
}

TEST_CASE("lifecycle 1: a caught data_gap is no error") {
  scenario market;
  market.prices({100, {}, 100});
  market.frame_minutes(2, 2);
  market.strategy([](const run_context& context) -> std::optional<signal_request> {
    CHECK_THROWS_AS(context.candles(interval::m1, 2), failure);
    return std::nullopt;
  });
  CHECK(market.facts() == texts{});
}

TEST_CASE("lifecycle 1: candles_present returns those that exist") {
  scenario market;
  market.prices({100, {}, 102, {}, 104});
  market.frame_minutes(4, 4);
  market.strategy([](const run_context& context) -> std::optional<signal_request> {
    std::vector<double> closes;
    for (const auto& item : context.candles_present(interval::m1, 4))
      closes.push_back(item.close);
    CHECK(closes == std::vector<double>{102, 104});
    return std::nullopt;
  });
  CHECK(market.facts() == texts{});
}

TEST_CASE("lifecycle 1: every interval is aligned to UTC: 4h candles open at 00, 04, 08") {
  CHECK(seen_at(601, interval::h4, 2) == minutes{0, 240});
  CHECK(seen_at(479, interval::h4, 1) == minutes{0});
  CHECK(seen_at(480, interval::h4, 1) == minutes{240});
  CHECK(seen_at(1439, interval::d1, 1) == minutes{-1440});
  CHECK(seen_at(1440, interval::d1, 1) == minutes{0});
}

TEST_CASE("lifecycle 1: candle intervals are 1m 3m 5m 15m 30m 1h 2h 4h 6h 8h 12h 1d") {
  for (const auto size :
       {interval::m1, interval::m3, interval::m5, interval::m15, interval::m30, interval::h1,
        interval::h2, interval::h4, interval::h6, interval::h8, interval::h12, interval::d1}) {
    CAPTURE(to_string(size));
    CHECK(is_candle_interval(size));
    const auto aligned = align_down(at_minute(777), length_of(size)) - length_of(size);
    CHECK(seen_at(777, size, 1) == minutes{(aligned - minute_zero) / minute_ms});
  }
  CHECK_FALSE(is_candle_interval(interval::d3));
}

TEST_CASE("lifecycle 1: strategy intervals are 1m 3m 5m 15m 30m 1h") {
  const std::vector<interval> legal{interval::m1,  interval::m3,  interval::m5,
                                    interval::m15, interval::m30, interval::h1};
  for (std::size_t i = 0; i < interval_count; ++i)
    CHECK(is_strategy_interval(static_cast<interval>(i)) == (i < legal.size()));
  for (const auto size : legal) {
    scenario market;
    for (int minute = -4; minute <= 120; ++minute)
      market.candles().push_back(closing_at(minute, 100));
    market.frame_minutes(0, 120);
    std::int64_t calls = 0;
    market
        .strategy([&calls](const run_context&) -> std::optional<signal_request> {
          ++calls;
          return std::nullopt;
        })
        .size = size;
    market.run();
    CHECK(calls == 120 * minute_ms / length_of(size) + 1);
  }
}

TEST_CASE("lifecycle 1: frame steps are 1m 3m 5m 15m 30m 1h 2h 4h 6h 8h 12h 1d 3d") {
  const std::vector<std::int64_t> steps{1, 3, 5, 15, 30, 60, 120, 240, 360, 480, 720, 1440, 4320};
  for (std::size_t i = 0; i < interval_count; ++i) {
    frame_schema frame{"f", "", static_cast<interval>(i), at_minute(0), at_minute(8640), {}};
    CHECK(timeline_of(frame).step == steps[i] * minute_ms);
    CHECK(timeline_of(frame).count() == 8640 / steps[i] + 1);
  }
}
