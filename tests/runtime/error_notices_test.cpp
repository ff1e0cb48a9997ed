#include "runtime/error_notices.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <fmt/format.h>

using namespace backtest;

namespace {

constexpr instant noon = 1'704'110'400'000; // 2024-01-01T12:00:00Z

shared_identity run_on(const std::string& symbol) {
  return std::make_shared<const run_identity>(
      run_identity{symbol, "cross", "binance", "", run_mode::live});
}

shared_identity other_strategy_on(const std::string& symbol) {
  return std::make_shared<const run_identity>(
      run_identity{symbol, "grid", "binance", "", run_mode::live});
}

error_event fetch_failure(const std::string& symbol, instant when, const std::string& message) {
  return {error_code::fetch_failed, message, "exchange", when, run_on(symbol)};
}

std::int64_t lines_in(const std::string& text) {
  return std::count(text.begin(), text.end(), '\n');
}

} // namespace

TEST_CASE("error notices: the first of a kind is told at once, then a count a minute") {
  error_notices notices;
  CHECK_FALSE(notices.next_due());
  CHECK(notices.take(fetch_failure("NOPE", noon, "no candles before 12:00"), 1000) ==
        "2024-01-01T12:00:00Z cross NOPE error fetch_failed: no candles before 12:00\n");
  CHECK(notices.next_due() == 61'000);
  for (int i = 1; i <= 12; ++i)
    CHECK(notices
              .take(fetch_failure("NOPE", noon + i * minute_ms,
                                  fmt::format("no candles before 12:{:02}", i)),
                    1000 + i)
              .empty());
  CHECK(notices.counts(60'999).empty());
  CHECK(notices.counts(61'000) ==
        "2024-01-01T12:12:00Z cross NOPE error fetch_failed: 12 more in the last minute, the "
        "latest: no candles before 12:12\n");
  CHECK_FALSE(notices.next_due());
  CHECK(notices.counts(200'000).empty());

  CHECK(notices.take(fetch_failure("NOPE", noon, "no candles before 13:00"), 300'000).empty());
  CHECK(notices.next_due() == 360'000);
  CHECK(notices.counts_so_far(310'000) ==
        "2024-01-01T12:00:00Z cross NOPE error fetch_failed: 1 more in the last minute: no candles "
        "before 13:00\n");
}

TEST_CASE("error notices: another code, run, source or message is another kind") {
  error_notices notices;
  const auto is_shown = [&](const error_event& problem) {
    return !notices.take(problem, 0).empty();
  };
  CHECK(is_shown(fetch_failure("A", noon, "status 429")));
  CHECK(is_shown(fetch_failure("B", noon, "status 429")));
  CHECK_FALSE(is_shown(fetch_failure("A", noon, "status 418"))); // its digits alone are different
  CHECK(is_shown(fetch_failure("A", noon, "connection refused")));
  CHECK(is_shown({error_code::bad_candles, "status 429", "exchange", noon, run_on("A")}));
  // The exchange fails a symbol with all its strategies, which fail one by one.
  CHECK_FALSE(
      is_shown({error_code::bad_candles, "status 429", "exchange", noon, other_strategy_on("A")}));
  CHECK(is_shown({error_code::data_gap, "no candles", "strategy", noon, run_on("A")}));
  CHECK(is_shown({error_code::data_gap, "no candles", "strategy", noon, other_strategy_on("A")}));
  CHECK(is_shown({error_code::store_failed, "no space", "store", std::nullopt, nullptr}));
  CHECK_FALSE(is_shown({error_code::store_failed, "no space", "store", std::nullopt, nullptr}));
  CHECK(is_shown({error_code::store_failed, "no space", "topics", std::nullopt, nullptr}));
  CHECK(error_heading({error_code::store_failed, "no space", "store", std::nullopt, nullptr}) ==
        "store error store_failed");
}

TEST_CASE("error notices: a thousand kinds at once do not flood the terminal, none is forgotten") {
  error_notices notices;
  std::string at_once;
  for (int i = 0; i < 1000; ++i)
    at_once += notices.take(
        fetch_failure("S" + std::string(static_cast<std::size_t>(i), 'x'), noon, "gone"), 0);
  CHECK(lines_in(at_once) == 20);
  const auto counted = notices.counts(minute_ms);
  CHECK(lines_in(counted) == 21);
  CHECK(counted.find(" error fetch_failed: 1 in the last minute: gone\n") != std::string::npos);
  CHECK(counted.find("960 more error events of 960 other kinds in the last minute\n") !=
        std::string::npos);
  // Kinds that no line was about are still new.
  const std::string last = "S" + std::string(999, 'x');
  CHECK(lines_in(notices.take(fetch_failure(last, noon, "gone"), 2 * minute_ms)) == 1);
}

TEST_CASE("error notices: a kind that was silent for an hour is told at once again") {
  error_notices notices;
  const auto problem = fetch_failure("A", noon, "gone");
  CHECK_FALSE(notices.take(problem, 0).empty());
  CHECK(notices.counts(minute_ms).empty());
  CHECK(notices.take(problem, 2 * minute_ms).empty());
  CHECK(lines_in(notices.counts(3 * minute_ms)) == 1);
  const instant later = 2 * minute_ms + error_notices::forgotten_after;
  const auto other = fetch_failure("B", noon, "gone");
  CHECK_FALSE(notices.take(other, later - minute_ms).empty());
  CHECK(notices.counts(later).empty()); // nothing was counted
  CHECK_FALSE(notices.take(problem, later).empty());
}

TEST_CASE("error notices: names and messages neither break a line nor command the terminal") {
  error_notices notices;
  const error_event problem{error_code::fetch_failed, "red \x1b[31m", "exchange", std::nullopt,
                            run_on("A\nB")};
  CHECK(notices.take(problem, 0) == "cross A?B error fetch_failed: red ?[31m\n");
}
