#include "actors/exchange/binance_klines.hpp"

#include "actors/exchange/fetch_failure.hpp"
#include "tests/actors/exchange/candle_fixtures.hpp"

#include <doctest/doctest.h>

using namespace backtest;
using namespace backtest::test;

namespace {

constexpr std::string_view klines_url = "https://h/k";

void check_refused(std::string_view body, std::string_view message) {
  CAPTURE(body);
  const auto problem = error_of([&] { parse_klines(body, klines_url, interval::m1); });
  REQUIRE(problem);
  CHECK(problem->code == error_code::bad_candles);
  CHECK(problem->message == std::string{klines_url} + ": " + std::string{message});
}

error refusal_of(const http_answer& answer) {
  const auto problem = error_of([&] { require_klines(answer, "ABC", klines_url, new_year); });
  REQUIRE(problem);
  return *problem;
}

template <class Kind>
bool throws(const http_answer& answer) {
  try {
    require_klines(answer, "ABC", klines_url, new_year);
  } catch (const Kind&) {
    return true;
  } catch (const failure&) {
  }
  return false;
}

} // namespace

TEST_CASE("binance klines: the request's path, the end of the range is exclusive") {
  CHECK(klines_path({"BTCUSDT", interval::m1, new_year, new_year + day_ms}) ==
        "/api/v3/klines?symbol=BTCUSDT&interval=1m&startTime=1704067200000&"
        "endTime=1704153599999&limit=1000");
  CHECK(klines_path({"BTC/US&T \xc3\xa4~", interval::h12, 0, 1}) ==
        "/api/v3/klines?symbol=BTC%2FUS%26T%20%C3%A4~&interval=12h&startTime=0&endTime=0&"
        "limit=1000");
}

TEST_CASE("binance klines: a literal answer, read exactly") {
  const auto candles = parse_klines(R"([
    [1499040000000,"0.01634790","0.80000000","0.01575800","0.01577100","148976.11427815",
     1499040059999,"2434.19055334",308,"1756.87402397","28.46694368","0"],
    [1499644800000,"0.1","12345678901.123456789","3e-7","5","0"]])",
                                    klines_url, interval::m1);
  REQUIRE(candles.size() == 2);
  CHECK(candles[0] ==
        candle{1'499'040'000'000, 0.01634790, 0.8, 0.015758, 0.015771, 148976.11427815});
  CHECK(candles[1] == candle{1'499'644'800'000, 0.1, 12345678901.123456789, 3e-7, 5, 0});
  CHECK(parse_klines("[]", klines_url, interval::m1).empty());
}

TEST_CASE("binance klines: answers that are no klines") {
  check_refused("", "expected JSON, an array of klines: line 1, column 1: incomplete JSON");
  check_refused("{}", "expected an array of klines, got {}");
  check_refused(R"({"code":0,"msg":"hello"})",
                R"(expected an array of klines, got {"code":0,"msg":"hello"})");
  check_refused("7", "expected an array of klines, got 7");
  for (const auto* body : {"<html>", "[[1,", "[] []", "[\"\xff\"]", "[1e999]"}) {
    CAPTURE(body);
    const auto problem = error_of([&] { parse_klines(body, klines_url, interval::m1); });
    REQUIRE(problem);
    CHECK(problem->code == error_code::bad_candles);
    CHECK(problem->message.starts_with("https://h/k: expected JSON, an array of klines: line 1"));
  }
}

TEST_CASE("binance klines: a bad row is named, with its value and what was expected") {
  constexpr std::string_view good = R"([[60000,"1","1","1","1","1"],)";
  const auto check_row = [&](std::string_view row, std::string_view message) {
    check_refused(std::string{good} + std::string{row} + "]", "row 1: " + std::string{message});
  };
  check_row("7", "expected an array, got 7");
  check_row(R"({"open":"1"})", "expected an array, got an object of 1 members");
  check_row("[]", "0 values; expected at least 6 (open time, open, high, low, close, volume)");
  check_row(R"([120000,"1","1","1","1"])",
            "5 values; expected at least 6 (open time, open, high, low, close, volume)");
  constexpr std::string_view time = "; expected an integer, Unix time in milliseconds";
  for (const auto* value :
       {"\"120000\"", "null", "-1", "1.5", "100000000000000", "18446744073709551615"})
    check_row(fmt::format(R"([{},"1","1","1","1","1"])", value),
              fmt::format("open time is {}{}", value, time));
  constexpr std::string_view number = "; expected a decimal number in quotes";
  for (const auto* value : {"1", "null", "\"\"", "\" 1\"", "\"1 \"", "\"1,5\"", "\"abc\"",
                            "\"nan\"", "\"inf\"", "\"1e999\"", "\"0x10\"", "\"+1\""}) {
    check_row(fmt::format(R"([120000,{},"1","1","1","1"])", value),
              fmt::format("open is {}{}", value, number));
    check_row(fmt::format(R"([120000,"1","1","1","1",{}])", value),
              fmt::format("volume is {}{}", value, number));
  }
  check_row(R"([120000,["1"],"1","1","1","1"])",
            "open is an array of 1 elements; expected a decimal number in quotes");
  check_row(R"([120000,"1","1","x","1","1"])", "low is \"x\"; expected a decimal number in quotes");
  check_row(R"([60000,"1","1","1","1","1"])",
            "open time 60000 does not follow 60000; expected increasing open times");
  check_row(R"([0,"1","1","1","1","1"])",
            "open time 0 does not follow 60000; expected increasing open times");
}

TEST_CASE("binance klines: a close time must be that of a candle of the interval") {
  const auto row = [](std::string_view close_time) {
    return fmt::format(R"([[300000,"1","1","1","1","1",{},"0"]])", close_time);
  };
  // To the end of the minute or of its last millisecond; earlier when the exchange paused.
  for (const auto* fine : {"359999", "360000", "314838"})
    CHECK(parse_klines(row(fine), klines_url, interval::m1).size() == 1);
  CHECK(parse_klines(row("599999"), klines_url, interval::m5).size() == 1);
  check_refused(row("599999"), "row 0: close time is 599999, that of a candle of 5m; expected "
                               "359999, that of 1m");
  check_refused(row("300000"),
                "row 0: close time is 300000, not later than open time 300000; expected 359999");
  check_refused(row("\"359999\""),
                "row 0: close time is \"359999\"; expected an integer, Unix time in milliseconds");
}

TEST_CASE("binance klines: a success is a success") {
  for (const int status : {200, 203, 299})
    CHECK_NOTHROW(require_klines({status, "", ""}, "ABC", klines_url, new_year));
}

TEST_CASE("binance klines: too many requests and server errors may be asked again") {
  for (const int status : {418, 429, 500, 502, 503, 504, 599}) {
    CAPTURE(status);
    const http_answer plain{status, "", "sorry"}, later{status, "30", "sorry"};
    CHECK_FALSE(throws<permanent_failure>(plain));
    CHECK_FALSE(throws<postponed_failure>(plain));
    CHECK(throws<postponed_failure>(later));
    CHECK(refusal_of(plain) ==
          error{error_code::fetch_failed,
                fmt::format("https://h/k: status {}, expected 200: sorry", status)});
  }
  CHECK_FALSE(throws<postponed_failure>({429, "soon", ""}));
}

TEST_CASE("binance klines: the server's wish to wait, in seconds or as a date") {
  const auto wait_of = [](const std::string& header) {
    try {
      require_klines({429, header, R"({"code":-1003,"msg":"Too much request weight used."})"},
                     "ABC", klines_url, new_year);
    } catch (const postponed_failure& caught) {
      CHECK(std::string{caught.what()} ==
            "https://h/k: status 429, expected 200: Too much request weight used. (code -1003); "
            "asks to wait 30 s");
      return caught.retry_after().count();
    }
    return std::int64_t{-1};
  };
  CHECK(wait_of("30") == 30'000);
  CHECK(wait_of("Mon, 01 Jan 2024 00:00:30 GMT") == 30'000);
}

TEST_CASE("binance klines: an unknown symbol is not_found, for good") {
  const http_answer answer{400, "", R"({"code":-1121,"msg":"Invalid symbol."})"};
  CHECK(throws<permanent_failure>(answer));
  CHECK(refusal_of(answer) == error{error_code::not_found,
                                    "symbol ABC not found: https://h/k: status 400, expected "
                                    "200: Invalid symbol. (code -1121)"});
}

TEST_CASE("binance klines: every other status is for good and quotes the server") {
  for (const int status : {301, 400, 401, 403, 404, 451}) {
    CAPTURE(status);
    CHECK(throws<permanent_failure>({status, "5", ""}));
    CHECK(refusal_of({status, "", R"({"code":-1100,"msg":"Illegal characters."})"}) ==
          error{error_code::fetch_failed,
                fmt::format("https://h/k: status {}, expected 200: Illegal characters. (code "
                            "-1100)",
                            status)});
  }
  CHECK(refusal_of({404, "", ""}).message ==
        "https://h/k: status 404, expected 200: without a message");
  CHECK(refusal_of({403, "", "<html>\n" + std::string(1000, 'x')}).message ==
        "https://h/k: status 403, expected 200: <html> " + std::string(193, 'x'));
}
