#include "actors/exchange/binance_candles.hpp"

#include "actors/exchange/fetch_failure.hpp"
#include "tests/actors/exchange/candle_fixtures.hpp"
#include "tests/actors/exchange/klines_market.hpp"

#include <doctest/doctest.h>

using namespace backtest;
using namespace backtest::test;

namespace {

constexpr instant far_ahead = new_year + 1000 * day_ms;

/// A source without a network: every answer comes from `answer`; remembers the addresses.
struct scripted_source {
  std::vector<std::string> asked;
  instant now = far_ahead;
  std::function<http_answer(const std::string& url)> answer = [](const std::string& url) {
    return http_answer{200, "", klines_text(klines_request{url})};
  };

  candle_function source(std::string base_url = "https://h") {
    return binance_candles(
        std::move(base_url),
        [this](const std::string& url, const std::stop_token&) {
          asked.push_back(url);
          return answer(url);
        },
        [this] { return now; });
  }
};

candle_query minutes(std::int64_t first, std::int64_t end) {
  return {"BTCUSDT", interval::m1, new_year + first * minute_ms, new_year + end * minute_ms};
}

} // namespace

TEST_CASE("binance candles: 2,500 come in three pages, each candle once") {
  scripted_source script;
  const auto candles = script.source()(minutes(0, 2500));
  REQUIRE(candles.size() == 2500);
  for (std::size_t i = 0; i < candles.size(); ++i)
    CHECK(candles[i] == kline_at(new_year + static_cast<instant>(i) * minute_ms));
  REQUIRE(script.asked.size() == 3);
  for (std::size_t i = 0; i < 3; ++i)
    CHECK(script.asked[i] == "https://h" + klines_path(minutes(static_cast<int>(i) * 1000, 2500)));
}

TEST_CASE("binance candles: a range of whole pages needs no page more") {
  scripted_source script;
  CHECK(script.source()(minutes(0, 1000)).size() == 1000);
  CHECK(script.source()(minutes(0, 2000)).size() == 2000);
  CHECK(script.asked.size() == 3);
}

TEST_CASE("binance candles: a slash at the end of the base address is one too many") {
  scripted_source script;
  script.source("https://h/proxy//")(minutes(0, 1));
  CHECK(script.asked.front() == "https://h/proxy" + klines_path(minutes(0, 1)));
}

TEST_CASE("binance candles: a server with smaller pages leaves no gap") {
  scripted_source script;
  script.answer = [](const std::string& url) {
    klines_request request{url};
    request.limit = 300;
    return http_answer{200, "", klines_text(request)};
  };
  CHECK(script.source()(minutes(0, 1440)).size() == 1440);
  CHECK(script.asked.size() == 5);
}

TEST_CASE("binance candles: part of the range, or none, is what there is") {
  scripted_source script;
  script.answer = [](const std::string& url) {
    klines_request request{url};
    request.since = std::max(request.since, new_year + 100 * minute_ms); // listed only then
    request.until = std::min(request.until, new_year + 110 * minute_ms); // and soon gone
    return http_answer{200, "", klines_text(request)};
  };
  const auto candles = script.source()(minutes(0, 1440));
  REQUIRE(candles.size() == 10);
  CHECK(candles.front().open_time == new_year + 100 * minute_ms);
  CHECK(script.source()(minutes(200, 300)).empty());
}

TEST_CASE("binance candles: only closed ones, by the clock that was given") {
  scripted_source script;
  auto source = script.source();
  script.now = new_year + 10 * minute_ms + 59'999; // the eleventh candle is forming
  CHECK(source(minutes(0, 60)).size() == 10);
  CHECK(script.asked.back() == "https://h" + klines_path(minutes(0, 10)));
  script.now += 1;
  CHECK(source(minutes(0, 60)).back().open_time == new_year + 10 * minute_ms);
  CHECK(source({"BTCUSDT", interval::h1, new_year, new_year + day_ms}).empty());
  script.asked.clear();
  CHECK(source(minutes(11, 60)).empty());
  CHECK(source(minutes(1000, 2000)).empty());
  CHECK(script.asked.empty()); // nothing there can be closed
}

TEST_CASE("binance candles: a forming one in the answer is dropped") {
  scripted_source script;
  script.now = new_year + 10 * minute_ms + 30'000;
  script.answer = [](const std::string& url) {
    klines_request request{url};
    request.until += minute_ms;
    return http_answer{200, "", klines_text(request)};
  };
  auto source = script.source();
  CHECK(source(minutes(0, 60)).size() == 10);
  CHECK(source(minutes(9, 60)).size() == 1);
  CHECK(script.asked.size() == 2);
}

TEST_CASE("binance candles: older ones in the answer are dropped, none but older is refused") {
  scripted_source script;
  auto source = script.source();
  script.answer = [](const std::string& url) {
    klines_request request{url};
    request.since -= 50 * minute_ms;
    return http_answer{200, "", klines_text(request)};
  };
  const auto candles = source(minutes(0, 1440));
  REQUIRE(candles.size() == 1440);
  CHECK(candles.front().open_time == new_year);
  script.answer = [](const std::string&) {
    return http_answer{200, "", klines_text({"BTCUSDT", new_year, new_year + minute_ms})};
  };
  const auto problem = error_of([&] { source(minutes(5, 60)); });
  REQUIRE(problem);
  CHECK(problem->code == error_code::bad_candles);
  CHECK(problem->message == "https://h" + klines_path(minutes(5, 60)) +
                                ": row 0: open time is 2024-01-01T00:00:00Z; expected 2024-01-01T00:05:00Z or "
                                "later");
}

TEST_CASE("binance candles: larger intervals are asked for by their names") {
  scripted_source script;
  const auto candles = script.source()({"ETHUSDT", interval::h4, new_year, new_year + 2 * day_ms});
  CHECK(candles.size() == 12);
  CHECK(candles.back().open_time == new_year + 2 * day_ms - length_of(interval::h4));
}

TEST_CASE("binance candles: while the server asked to wait it is left alone") {
  scripted_source script;
  auto source = script.source();
  auto copy = source; // another client of the same exchange
  script.now = new_year + 60 * minute_ms;
  script.answer = [](const std::string&) { return http_answer{418, "3600", "banned"}; };
  CHECK_THROWS_AS(source(minutes(0, 1)), postponed_failure);
  script.now += 600'000;
  try {
    copy(minutes(0, 1));
    FAIL_CHECK("expected a failure");
  } catch (const postponed_failure& caught) {
    CHECK(caught.retry_after() == std::chrono::minutes{50});
    CHECK(std::string{caught.what()} ==
          "https://h asked not to be asked before 2024-01-01T02:00:00Z");
  }
  CHECK(script.asked.size() == 1);
  script.now += 3'000'000;
  script.answer = scripted_source{}.answer;
  CHECK(copy(minutes(0, 1)).size() == 1);
  CHECK(script.asked.size() == 2);
}

TEST_CASE("binance candles: years before a symbol is listed take two requests") {
  scripted_source script;
  const instant listed = new_year + 900 * day_ms + 7 * minute_ms;
  script.answer = [listed](const std::string& url) {
    klines_request request{url};
    request.since = std::max(request.since, listed);
    return http_answer{200, "", klines_text(request)};
  };
  auto source = script.source();
  std::vector<candle> found;
  for (std::int64_t day = 0; day <= 900; ++day)
    for (const auto& item : source(minutes(day * 1440, (day + 1) * 1440)))
      found.push_back(item);
  CHECK(found.size() == 1433);
  CHECK(found.front().open_time == listed);
  CHECK(script.asked.size() == 4); // the first day, what follows, and the pages of the last one
  CHECK(script.asked[1] ==
        "https://h" +
            klines_path(
                {"BTCUSDT", interval::m1, new_year + day_ms, far_ahead - 60 * minute_ms, {}}, 1));
  // What may still come is asked for.
  script.asked.clear();
  script.now = new_year + 10 * day_ms;
  for (int i = 0; i < 2; ++i)
    CHECK(script.source()(minutes(9 * 1440, 10 * 1440)).empty());
  CHECK(script.asked.size() == 2);
}

TEST_CASE("binance candles: after the last candle of a symbol that is gone one day is asked for") {
  scripted_source script;
  script.answer = [](const std::string& url) {
    klines_request request{url};
    request.until = std::min(request.until, new_year + 10 * minute_ms);
    return http_answer{200, "", klines_text(request)};
  };
  auto source = script.source();
  for (std::int64_t day = 0; day < 500; ++day)
    source(minutes(day * 1440, (day + 1) * 1440));
  CHECK(script.asked.size() == 4); // two pages, an empty day, and whether anything follows
}
