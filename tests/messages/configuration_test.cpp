#include "messages/configuration_parameters.hpp"
#include "messages/json_text.hpp"

#include <doctest/doctest.h>

#include <limits>

using namespace backtest;

namespace {

std::vector<std::string> violations_after(void change(configuration&)) {
  configuration values;
  change(values);
  return violations_of(values);
}

std::string only_violation(void change(configuration&)) {
  const auto found = violations_after(change);
  REQUIRE(found.size() == 1);
  return found.front();
}

bool fine(void change(configuration&)) { return violations_after(change).empty(); }

} // namespace

TEST_CASE("configuration: the defaults are valid") {
  CHECK(violations_of(configuration{}).empty());
  CHECK_NOTHROW(require_valid(configuration{}));
}

TEST_CASE("configuration: each parameter has its range") {
  CHECK(only_violation([](configuration& c) { c.percent_fee = -0.1; }) ==
        "percent_fee must be a non-negative number, got -0.1");
  CHECK(only_violation([](configuration& c) {
          c.percent_slippage = std::numeric_limits<double>::infinity();
        }) == "percent_slippage must be a non-negative number, got inf");
  CHECK(only_violation([](configuration& c) { c.avg_price_candles_count = 0; }) ==
        "avg_price_candles_count must be a positive integer up to 100000000000, got 0");
  CHECK(only_violation([](configuration& c) {
          c.schedule_await_minutes = INT64_MAX;
        }).find("must be a positive integer") != std::string::npos);
  CHECK(only_violation([](configuration& c) {
          c.get_candles_retry_delay_ms = -1;
        }).find("must be a non-negative integer") != std::string::npos);
  CHECK(only_violation([](configuration& c) { c.min_stoploss_distance_percent = -1; }) ==
        "min_stoploss_distance_percent must be a positive number or 0 (off), got -1");
  CHECK(fine([](configuration& c) { c.get_candles_retry_delay_ms = 0; }));
  CHECK(fine([](configuration& c) { c.journal_max_bytes = 5'000'000'000'000; }));
  CHECK(fine([](configuration& c) { c.max_trades_per_year = 0; }));
  CHECK_FALSE(fine([](configuration& c) { c.get_candles_retry_count = 0; }));
  CHECK_FALSE(fine([](configuration& c) { c.max_report_rows = 0; }));
  CHECK_FALSE(fine(
      [](configuration& c) { c.max_abs_dd_ratio = std::numeric_limits<double>::quiet_NaN(); }));
}

TEST_CASE("configuration rule A: take profit must cover the costs, equality passes") {
  CHECK(only_violation([](configuration& c) { c.min_takeprofit_distance_percent = 0.3; }) ==
        "min_takeprofit_distance_percent (0.3) is too low to cover trading costs: expected at "
        "least 0.40 (slippage 2 * 0.1 + fee 2 * 0.1)");
  CHECK(fine([](configuration& c) { c.min_takeprofit_distance_percent = 0.4; }));
  CHECK(fine([](configuration& c) { c.min_takeprofit_distance_percent = 0; }));
  // 2 * 0.05 + 2 * 0.1 is a little above 0.3 in doubles.
  CHECK(fine([](configuration& c) {
    c.min_takeprofit_distance_percent = 0.3;
    c.percent_slippage = 0.05;
  }));
}

TEST_CASE("configuration rule A: an exchange's own costs are judged the same way") {
  const configuration values;
  CHECK_FALSE(trading_cost_violation(values, 0.15, 0.1).has_value());
  CHECK(trading_cost_violation(values, 0.2, 0.1).value().find("expected at least 0.60") !=
        std::string::npos);
}

TEST_CASE("configuration rule B: the stop-loss limits leave room") {
  CHECK(
      only_violation([](configuration& c) { c.max_stoploss_distance_percent = 0.5; }) ==
      "min_stoploss_distance_percent (0.5) must be less than max_stoploss_distance_percent (0.5)");
  CHECK(fine([](configuration& c) { c.max_stoploss_distance_percent = 0; }));
  CHECK(fine([](configuration& c) {
    c.min_stoploss_distance_percent = 0;
    c.max_stoploss_distance_percent = 0.1;
  }));
}

TEST_CASE("configuration: candles are asked for once more within an hour") {
  CHECK(fine([](configuration& c) { c.candle_revision_minutes = 0; }));
  CHECK(fine([](configuration& c) { c.candle_revision_minutes = 60; }));
  CHECK(only_violation([](configuration& c) { c.candle_revision_minutes = 61; }) ==
        "candle_revision_minutes must be a non-negative integer up to 60, got 61");
}

TEST_CASE("configuration: all violations are told together") {
  configuration values;
  values.percent_fee = -1;
  values.max_report_rows = 0;
  try {
    require_valid(values);
    FAIL("expected a failure");
  } catch (const failure& problem) {
    CHECK(problem.code() == error_code::invalid_configuration);
    CHECK(std::string{problem.what()} ==
          "invalid configuration:\n1. percent_fee must be a non-negative number, got -1\n2. "
          "max_report_rows must be a positive integer up to 100000000000, got 0");
  }
}

TEST_CASE("configuration parameters: a list for people, in the order of the struct") {
  const auto parameters = configuration_parameters();
  REQUIRE(parameters.size() == 32);
  CHECK(parameters.front().name == "percent_fee");
  CHECK(parameters.front().default_text == "0.1");
  CHECK(parameters.back().name == "max_abs_dd_ratio");
  CHECK(parameters.back().default_text == "1000");
  for (const auto& parameter : parameters) {
    CHECK_FALSE(parameter.range_text.empty());
    CHECK_FALSE(parameter.meaning.empty());
    if (parameter.name == "journal_max_bytes")
      CHECK(parameter.default_text == "1073741824");
    if (parameter.name == "report_show_signal_note")
      CHECK(parameter.default_text == "false");
  }
}

TEST_CASE("configuration from JSON: given parameters are set, the others stay") {
  const auto values = from_json_text<configuration>(
      R"({"percent_fee":0.04,"avg_price_candles_count":3,"report_show_signal_note":true,"min_span_days":7})");
  configuration expected;
  expected.percent_fee = 0.04;
  expected.avg_price_candles_count = 3;
  expected.report_show_signal_note = true;
  expected.min_span_days = 7;
  CHECK(values == expected);
}

TEST_CASE("configuration from JSON: unknown names and wrong types are named") {
  const auto read = [](std::string_view text) { from_json_text<configuration>(text); };
  CHECK_THROWS_WITH(read(R"({"cc_percent_fee":1})"),
                    "cc_percent_fee: unknown parameter, `backtest list parameters` shows all");
  CHECK_THROWS_WITH(read(R"({"percent_fee":"0.1"})"),
                    "percent_fee: expected a number, got \"0.1\"");
  CHECK_THROWS_WITH(read(R"({"max_report_rows":2.5})"),
                    "max_report_rows: expected an integer, got 2.5");
  CHECK_THROWS_WITH(read(R"({"report_show_signal_note":1})"),
                    "report_show_signal_note: expected true or false, got 1");
}
