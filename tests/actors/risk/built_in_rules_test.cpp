#include "actors/risk/built_in_rules.hpp"
#include "messages/json_reader.hpp"

#include <doctest/doctest.h>

using namespace backtest;

namespace {

struct question_fixture {
  run_identity run{"BTCUSDT", "test", "csv", "q1", run_mode::backtest};
  signal_request request;
  double price = 100;
  instant when = 0;
  std::vector<active_position> active;

  question_fixture() {
    request.price_take_profit = 102;
    request.price_stop_loss = 99;
  }
  void add(std::string symbol, position_side side) {
    active.push_back({"other", "csv", std::move(symbol), side, 100, 0});
  }
  std::optional<std::string> ask(const risk_function& rule) const {
    return rule({run, request, price, when, active});
  }
};

risk_function make(std::string_view type, std::string_view params) {
  const auto document = parse_json(params);
  for (const auto& candidate : built_in_rule_types())
    if (candidate.name == type)
      return candidate.make(document.as_object());
  throw failure(error_code::not_found, std::string{type});
}

} // namespace

TEST_CASE("max_positions: rejects when that many are active already") {
  question_fixture question;
  const auto rule = make("max_positions", R"({"limit":2})");
  question.add("ETHUSDT", position_side::long_side);
  CHECK_FALSE(question.ask(rule).has_value());
  question.add("XRPUSDT", position_side::short_side);
  CHECK(question.ask(rule) == "2 positions active, the limit is 2");
}

TEST_CASE("max_positions: a limit of 0 allows nothing") {
  CHECK(question_fixture{}.ask(make("max_positions", R"({"limit":0})")) ==
        "0 positions active, the limit is 0");
}

TEST_CASE("max_positions_per_symbol: counts the request's symbol only") {
  question_fixture question;
  const auto rule = make("max_positions_per_symbol", R"({"limit":1})");
  question.add("ETHUSDT", position_side::long_side);
  CHECK_FALSE(question.ask(rule).has_value());
  question.add("BTCUSDT", position_side::short_side);
  CHECK(question.ask(rule) == "1 position active on BTCUSDT, the limit is 1");
}

TEST_CASE("max_same_side: counts the request's side only") {
  question_fixture question;
  const auto rule = make("max_same_side", R"({"limit":1})");
  question.add("ETHUSDT", position_side::short_side);
  CHECK_FALSE(question.ask(rule).has_value());
  question.request.position = position_side::short_side;
  CHECK(question.ask(rule) == "1 position active on the short side, the limit is 1");
}

TEST_CASE("min_reward_risk: measures from price_open, or from the price when there is none") {
  question_fixture question;
  CHECK_FALSE(question.ask(make("min_reward_risk", R"({"ratio":2})")).has_value());
  CHECK(question.ask(make("min_reward_risk", R"({"ratio":2.5})")) ==
        "reward to risk is 2, at least 2.5 is required");
  question.request.price_open = 101;
  CHECK(question.ask(make("min_reward_risk", R"({"ratio":2})")) ==
        "reward to risk is 0.5, at least 2 is required");
  question.request.price_open = 99; // no risk to divide by
  CHECK_FALSE(question.ask(make("min_reward_risk", R"({"ratio":2})")).has_value());
}

TEST_CASE("symbols: allow and deny") {
  question_fixture question;
  CHECK_FALSE(question.ask(make("symbols", R"({"allow":["BTCUSDT"]})")).has_value());
  CHECK(question.ask(make("symbols", R"({"allow":["ETHUSDT","XRPUSDT"]})")) ==
        "BTCUSDT is not among the allowed symbols: ETHUSDT, XRPUSDT");
  CHECK_FALSE(question.ask(make("symbols", R"({"deny":["ETHUSDT"]})")).has_value());
  CHECK(question.ask(make("symbols", R"({"deny":["BTCUSDT"]})")) ==
        "BTCUSDT is among the denied symbols: BTCUSDT");
}

TEST_CASE("hours: allowed while from <= hour < to, around midnight when from > to") {
  question_fixture question;
  const auto allowed = [&](const risk_function& rule, instant when) {
    question.when = when;
    return !question.ask(rule).has_value();
  };
  const auto day = make("hours", R"({"from":8,"to":17})");
  CHECK_FALSE(allowed(day, 8 * hour_ms - 1));
  CHECK(allowed(day, 8 * hour_ms));
  CHECK(allowed(day, day_ms + 17 * hour_ms - 1));
  CHECK_FALSE(allowed(day, 17 * hour_ms));
  CHECK(question.ask(day) == "hour 17 UTC is outside 8 to 17");
  const auto night = make("hours", R"({"from":22,"to":6})");
  CHECK(allowed(night, 22 * hour_ms));
  CHECK(allowed(night, 0));
  CHECK(allowed(night, 6 * hour_ms - 1));
  CHECK_FALSE(allowed(night, 6 * hour_ms));
  CHECK_FALSE(allowed(night, 21 * hour_ms));
  CHECK(allowed(make("hours", R"({"from":12,"to":24})"), 23 * hour_ms));
}

TEST_CASE("built-in rules: parameters that are wrong are named") {
  CHECK_THROWS_WITH(make("max_positions", "{}"), "limit: missing");
  CHECK_THROWS_WITH(make("max_positions", R"({"limit":-1})"),
                    "limit: expected an integer >= 0, got -1");
  CHECK_THROWS_WITH(make("max_positions", R"({"limit":1,"max":2})"),
                    "max: unknown key, expected one of: limit");
  CHECK_THROWS_WITH(make("min_reward_risk", R"({"ratio":0})"),
                    "ratio: expected a number > 0, got 0");
  CHECK_THROWS_WITH(make("symbols", "{}"), "expected either \"allow\" or \"deny\"");
  CHECK_THROWS_WITH(make("symbols", R"({"allow":["A"],"deny":["B"]})"),
                    "expected either \"allow\" or \"deny\"");
  CHECK_THROWS_WITH(make("symbols", R"({"allow":[]})"), "allow: expected at least one symbol");
  CHECK_THROWS_WITH(make("symbols", R"({"allow":["A",7]})"), "allow[1]: expected a string, got 7");
  CHECK_THROWS_WITH(make("hours", R"({"from":24,"to":1})"),
                    "from: expected an hour from 0 to 23, got 24");
  CHECK_THROWS_WITH(make("hours", R"({"from":5,"to":5})"),
                    "to: expected another hour than \"from\" (5): nothing would be allowed");
}
