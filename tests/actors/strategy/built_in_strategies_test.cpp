#include "actors/strategy/built_in_strategies.hpp"
#include "messages/json_reader.hpp"
#include "tests/market_stub.hpp"

#include <doctest/doctest.h>

#include <random>

using namespace backtest;

namespace {

const run_identity asked_run{"BTCUSDT", "test", "csv", "q1", run_mode::backtest};

std::optional<signal_request> ask(const signal_function& source, market_stub& market,
                                  instant when = 0) {
  return source(run_context{asked_run, when, market});
}

/// A type's source, from the JSON of its params.
signal_function make(std::string_view type, std::string_view params, interval size) {
  const auto document = parse_json(params);
  for (const auto& candidate : built_in_strategy_types())
    if (candidate.name == type)
      return candidate.make(document.as_object(), size);
  throw failure(error_code::not_found, std::string{type});
}

void check_refused(std::string_view type, std::string_view params, const char* message) {
  CHECK_THROWS_WITH(make(type, params, interval::m1), message);
}

double mean(const std::vector<double>& closes, std::size_t end, std::size_t count) {
  double sum = 0;
  for (std::size_t i = end - count; i < end; ++i)
    sum += closes[i];
  return sum / static_cast<double>(count);
}

} // namespace

TEST_CASE("sma_cross: long when the fast mean crosses above the slow one") {
  market_stub market;
  std::vector<double> closes(29, 10);
  closes.push_back(11);
  market.set_closes(closes);
  market.price = 200;
  const auto request = ask(make("sma_cross", "{}", interval::m15), market);
  REQUIRE(request.has_value());
  CHECK(request->position == position_side::long_side);
  CHECK_FALSE(request->price_open.has_value());
  CHECK(request->price_take_profit == 200 * (1 + 0.015));
  CHECK(request->price_stop_loss == 200 * (1 - 0.01));
  CHECK(request->minute_estimated_time == 240);
  CHECK(market.asked_size == interval::m15);
  CHECK(market.asked_limit == 30);
}

TEST_CASE("sma_cross: short when the fast mean crosses below the slow one") {
  market_stub market;
  std::vector<double> closes(29, 10);
  closes.push_back(9);
  market.set_closes(closes);
  market.price = 200;
  const auto request =
      ask(make("sma_cross", R"({"take_profit":0.03,"stop_loss":0.02,"minutes":7})", interval::m1),
          market);
  REQUIRE(request.has_value());
  CHECK(request->position == position_side::short_side);
  CHECK(request->price_take_profit == 200 * (1 - 0.03));
  CHECK(request->price_stop_loss == 200 * (1 + 0.02));
  CHECK(request->minute_estimated_time == 7);
}

TEST_CASE("sma_cross: nothing without a cross, and then no price is asked for") {
  market_stub market;
  market.set_closes(std::vector<double>(30, 10));
  CHECK_FALSE(ask(make("sma_cross", "{}", interval::m15), market).has_value());
  std::vector<double> rising;
  for (int i = 0; i < 30; ++i)
    rising.push_back(10 + i);
  market.set_closes(rising);
  CHECK_FALSE(ask(make("sma_cross", "{}", interval::m15), market).has_value());
  CHECK(market.price_questions == 0);
}

TEST_CASE("sma_cross: signals exactly where plain left-to-right means cross") {
  std::mt19937_64 random{3};
  const auto source = make("sma_cross", R"({"window":9,"fast":3,"slow":8})", interval::m1);
  int signals = 0;
  for (int round = 0; round < 5000; ++round) {
    std::vector<double> closes;
    for (int i = 0; i < 9; ++i)
      closes.push_back(100 + static_cast<double>(random() % 7) / 10);
    market_stub market;
    market.set_closes(closes);
    const double f = mean(closes, 9, 3);
    const double s = mean(closes, 9, 8);
    const double f_before = mean(closes, 8, 3);
    const double s_before = mean(closes, 8, 8);
    std::optional<position_side> expected;
    if (f_before <= s_before && f > s)
      expected = position_side::long_side;
    else if (f_before >= s_before && f < s)
      expected = position_side::short_side;
    const auto request = ask(source, market);
    REQUIRE(request.has_value() == expected.has_value());
    if (request) {
      ++signals;
      CHECK(request->position == *expected);
    }
  }
  CHECK(signals > 500);
}

TEST_CASE("sma_cross: a gap in the window is the error of the instant") {
  market_stub market;
  market.set_closes(std::vector<double>(29, 10));
  CHECK_THROWS_AS(ask(make("sma_cross", "{}", interval::m15), market), failure);
  CHECK(market.price_questions == 0);
}

TEST_CASE("sma_cross: parameters out of range are named") {
  check_refused("sma_cross", R"({"fast":20})", "fast: expected less than slow (20), got 20");
  check_refused("sma_cross", R"({"window":20})",
                "window: expected at least slow + 1, with slow 20, got 20");
  CHECK_NOTHROW(make("sma_cross", R"({"window":21})", interval::m1));
  check_refused("sma_cross", R"({"fast":0})", "fast: expected an integer >= 1, got 0");
  check_refused("sma_cross", R"({"fast":2.5})", "fast: expected an integer, got 2.5");
  check_refused("sma_cross", R"({"minutes":0})", "minutes: expected an integer >= 1, got 0");
  check_refused("sma_cross", R"({"take_profit":0})",
                "take_profit: expected a number above 0 and below 1, got 0");
  check_refused("sma_cross", R"({"stop_loss":1})",
                "stop_loss: expected a number above 0 and below 1, got 1");
  check_refused("sma_cross", R"({"quick":1})",
                "quick: unknown key, expected one of: window, fast, slow, take_profit, stop_loss, "
                "minutes");
}

TEST_CASE("pullback_limit: long below the price after a rise") {
  market_stub market;
  std::vector<double> closes(11, 100);
  closes.push_back(100.31);
  market.set_closes(closes);
  market.price = 50;
  const auto request = ask(make("pullback_limit", "{}", interval::m5), market);
  REQUIRE(request.has_value());
  const double open = 50 * (1 - 0.002);
  CHECK(request->position == position_side::long_side);
  CHECK(request->price_open == open);
  CHECK(request->price_take_profit == open * (1 + 0.012));
  CHECK(request->price_stop_loss == open * (1 - 0.008));
  CHECK(request->minute_estimated_time == 120);
  CHECK(market.asked_size == interval::m5);
  CHECK(market.asked_limit == 12);
}

TEST_CASE("pullback_limit: short above the price after a fall") {
  market_stub market;
  market.set_closes({100, 99});
  market.price = 50;
  const auto request = ask(make("pullback_limit", R"({"window":2})", interval::m5), market);
  REQUIRE(request.has_value());
  const double open = 50 * (1 + 0.002);
  CHECK(request->position == position_side::short_side);
  CHECK(request->price_open == open);
  CHECK(request->price_take_profit == open * (1 - 0.012));
  CHECK(request->price_stop_loss == open * (1 + 0.008));
}

TEST_CASE("pullback_limit: a change of exactly the threshold is not enough") {
  market_stub market;
  const auto source = make("pullback_limit", R"({"window":2,"threshold":0.5})", interval::m5);
  market.set_closes({100, 150});
  CHECK_FALSE(ask(source, market).has_value());
  market.set_closes({100, 50});
  CHECK_FALSE(ask(source, market).has_value());
  market.set_closes({100, 151});
  CHECK(ask(source, market).has_value());
}

TEST_CASE("pullback_limit: parameters out of range are named") {
  check_refused("pullback_limit", R"({"window":0})", "window: expected an integer >= 1, got 0");
  check_refused("pullback_limit", R"({"threshold":-1})",
                "threshold: expected a number >= 0, got -1");
  check_refused("pullback_limit", R"({"offset":1})",
                "offset: expected a number from 0 to below 1, got 1");
}

TEST_CASE("time_grid: long in even UTC hours, short in odd ones") {
  market_stub market;
  const auto source = make("time_grid", "{}", interval::h1);
  auto request = ask(source, market, 2 * hour_ms + 59 * minute_ms);
  REQUIRE(request.has_value());
  CHECK(request->position == position_side::long_side);
  CHECK_FALSE(request->price_open.has_value());
  CHECK(request->price_take_profit == 100 * (1 + 0.008));
  CHECK(request->price_stop_loss == 100 * (1 - 0.008));
  CHECK(request->minute_estimated_time == 45);
  request = ask(source, market, day_ms + 3 * hour_ms);
  REQUIRE(request.has_value());
  CHECK(request->position == position_side::short_side);
  CHECK(request->price_take_profit == 100 * (1 - 0.008));
  CHECK(request->price_stop_loss == 100 * (1 + 0.008));
}

TEST_CASE(
    "marketable_limit: an entry that is reached already, with too near a stop every 5 hours") {
  market_stub market;
  const auto source = make("marketable_limit", "{}", interval::m30);
  auto request = ask(source, market, 2 * hour_ms);
  REQUIRE(request.has_value());
  double open = 100 * (1 + 0.001);
  CHECK(request->position == position_side::long_side);
  CHECK(request->price_open == open);
  CHECK(request->price_take_profit == open * (1 + 0.02));
  CHECK(request->price_stop_loss == open * (1 - 0.015));
  CHECK_FALSE(request->minute_estimated_time.has_value());
  request = ask(source, market, 5 * hour_ms);
  REQUIRE(request.has_value());
  open = 100 * (1 - 0.001);
  CHECK(request->position == position_side::short_side);
  CHECK(request->price_open == open);
  CHECK(request->price_take_profit == open * (1 - 0.02));
  CHECK(request->price_stop_loss == open * (1 + 0.004));
  CHECK(ask(source, market, 0)->price_stop_loss == 100 * (1 + 0.001) * (1 - 0.004));
  check_refused("marketable_limit", R"({"x":1})", "x: unknown key, expected none");
}

TEST_CASE("never: nothing, and nothing is asked for") {
  market_stub market;
  CHECK_FALSE(ask(make("never", "{}", interval::m1), market).has_value());
  CHECK(market.asked_limit == 0);
  CHECK(market.price_questions == 0);
}

TEST_CASE("built-in strategies: parameter lists tell the defaults") {
  const auto types = built_in_strategy_types();
  REQUIRE(types.size() == 5);
  CHECK(types[0].name == "sma_cross");
  CHECK(types[0].default_interval == interval::m15);
  CHECK(types[1].default_interval == interval::m5);
  CHECK(types[2].default_interval == interval::h1);
  CHECK(types[3].default_interval == interval::m30);
  CHECK(types[4].default_interval == interval::m1);
  REQUIRE(types[0].parameters.size() == 6);
  CHECK(types[0].parameters[0].name == "window");
  CHECK(types[0].parameters[0].default_text == "30");
  CHECK(types[0].parameters[3].default_text == "0.015");
  CHECK(types[3].parameters.empty());
}
