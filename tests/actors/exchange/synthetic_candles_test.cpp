#include "actors/exchange/synthetic_candles.hpp"

#include "actors/exchange/candle_checks.hpp"
#include "tests/actors/exchange/candle_fixtures.hpp"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>

using namespace backtest;
using namespace backtest::test;

namespace {

/// FNV-1a over the bits of every field.
std::uint64_t checksum(const candle_series& series) {
  std::uint64_t sum = 0xcbf29ce484222325;
  const auto add = [&sum](std::uint64_t bits) {
    for (int i = 0; i < 8; ++i) {
      sum = (sum ^ (bits & 0xff)) * 0x100000001b3;
      bits >>= 8;
    }
  };
  for (const candle& item : series.candles) {
    add(static_cast<std::uint64_t>(item.open_time));
    for (const double value : {item.open, item.high, item.low, item.close, item.volume})
      add(std::bit_cast<std::uint64_t>(value));
  }
  return sum;
}

candle_series btc(instant since, instant until) {
  return generate_candles(7, "BTCUSDT", 40'000, 0.6, since, until);
}

} // namespace

TEST_CASE("decisions, Synthetic candles: same bytes everywhere") {
  CHECK(checksum(btc(new_year, new_year + 30 * day_ms)) == 15030628797861035303u);
  CHECK(checksum(generate_candles(1, "LOW", 0.012, 1.5, new_year - 9 * day_ms, new_year)) ==
        10833823720193995722u);
  CHECK(btc(new_year, new_year + minute_ms).candles ==
        std::vector<candle>{{new_year, 40'000, 40013.47, 39994.1, 39998.36, 24.9307}});
}

TEST_CASE("decisions, Synthetic candles: any range is a part of every longer one") {
  const auto whole = btc(new_year - 4 * day_ms, new_year + 4 * day_ms);
  std::mt19937_64 random{3};
  for (int round = 0; round < 60; ++round) {
    const auto first = static_cast<std::ptrdiff_t>(random() % whole.candles.size());
    const auto length = static_cast<std::ptrdiff_t>(random() % 3000);
    const auto last = std::min(first + length, static_cast<std::ptrdiff_t>(whole.candles.size()));
    const instant since = new_year - 4 * day_ms + first * minute_ms;
    REQUIRE(btc(since, since + (last - first) * minute_ms).candles ==
            std::vector<candle>(whole.candles.begin() + first, whole.candles.begin() + last));
  }
  // Where the walk has an anchor, 2^21 minutes from the origin.
  const instant anchor = new_year + (instant{1} << 21) * minute_ms;
  const auto around = btc(anchor - 5 * minute_ms, anchor + 5 * minute_ms);
  REQUIRE(around.candles.size() == 10);
  CHECK(btc(anchor, anchor + minute_ms).candles[0] == around.candles[5]);
}

TEST_CASE("decisions, Synthetic candles: bounds between two minutes") {
  const auto series = btc(new_year + 1, new_year + 2 * minute_ms + 1);
  REQUIRE(series.candles.size() == 2);
  CHECK(series.candles[0].open_time == new_year + minute_ms);
  CHECK(series.candles[1].open_time == new_year + 2 * minute_ms);
  CHECK(btc(new_year, new_year).empty());
  CHECK(btc(new_year + 1, new_year + 2).empty());
}

TEST_CASE("decisions, Synthetic candles: a sound market without gaps or jumps") {
  for (const double start : {1e-6, 0.7, 40'000.0, 1e9})
    for (const double volatility : {0.0, 0.6, 5.0}) {
      const auto series =
          generate_candles(2, "X", start, volatility, new_year, new_year + 20 * day_ms);
      REQUIRE(series.candles.size() == 20 * 1440);
      CHECK(series.candles[0].open == doctest::Approx(start).epsilon(1e-5));
      for (std::size_t i = 0; i < series.candles.size(); ++i) {
        REQUIRE(series.candles[i].volume > 0);
        if (i > 0)
          REQUIRE(series.candles[i].open == series.candles[i - 1].close);
      }
      for (std::size_t day = 0; day < 20; ++day)
        REQUIRE_FALSE(
            check_candles(std::span{series.candles}.subspan(day * 1440, 1440), interval::m1, {}));
    }
}

TEST_CASE("decisions, Synthetic candles: moves as wide as the volatility says, at every scale") {
  const auto series = btc(new_year, new_year + 720 * day_ms);
  for (const std::size_t step : {std::size_t{1}, std::size_t{60}, std::size_t{1440}}) {
    double squares = 0;
    std::size_t count = 0;
    for (std::size_t i = step; i < series.candles.size(); i += step, ++count) {
      const double move = std::log(series.candles[i].open / series.candles[i - step].open);
      squares += move * move;
    }
    const double yearly =
        std::sqrt(squares / static_cast<double>(count) * 525'600.0 / static_cast<double>(step));
    CHECK(yearly == doctest::Approx(0.6).epsilon(0.1));
  }
}

TEST_CASE("decisions, Synthetic candles: seed and symbol make different markets") {
  const auto last = [](std::uint64_t seed, const std::string& symbol) {
    return generate_candles(seed, symbol, 100, 0.6, new_year, new_year + day_ms)
        .candles.back()
        .close;
  };
  CHECK(last(1, "A") != last(2, "A"));
  CHECK(last(1, "A") != last(1, "B"));
  CHECK(last(1, "AB") != last(1, "BA"));
}

TEST_CASE("decisions, Synthetic candles: values outside their range are refused") {
  const auto refused = [](double price, double volatility, instant since, instant until) {
    const auto problem =
        error_of([&] { generate_candles(1, "X", price, volatility, since, until); });
    REQUIRE(problem.has_value());
    CHECK(problem->code == error_code::invalid_argument);
    return problem->message;
  };
  CHECK(refused(0, 1, 0, 1) == "synthetic candles: start_price 0; expected 1e-6 to 1e9");
  CHECK(refused(1, -1, 0, 1) ==
        "synthetic candles: volatility -1; expected 0 to 5, as a fraction per year");
  const double nan = std::numeric_limits<double>::quiet_NaN();
  refused(nan, 1, 0, 1);
  refused(1, nan, 0, 1);
  CHECK(refused(1, 1, -day_ms, day_ms) ==
        "synthetic candles: range 1969-12-31T00:00:00Z to 1970-01-02T00:00:00Z; expected at most "
        "twenty years between 1970 and 2262");
  refused(1, 1, -1, 1);
  refused(1, 1, 0, end_of_time);
  refused(1, 1, 0, 21 * 366 * day_ms);
}

TEST_CASE("synthetic source: its symbols, exactly the range asked for") {
  synthetic_source source{7, {"BTCUSDT", "ETHUSDT"}, 40'000, 0.6};
  CHECK(source.symbols() == std::vector<std::string>{"BTCUSDT", "ETHUSDT"});
  CHECK(source.load("BTCUSDT", new_year, new_year + day_ms, {}) ==
        btc(new_year, new_year + day_ms));
  const auto problem = error_of([&] { source.load("XRPUSDT", 0, 1, {}); });
  REQUIRE(problem.has_value());
  CHECK(problem->code == error_code::not_found);
  CHECK(problem->message ==
        "synthetic candles: symbol XRPUSDT not found; expected one of BTCUSDT, ETHUSDT");
  CHECK(error_of([] { synthetic_source{7, {"A"}, -1, 0.6}; }).has_value());
}
