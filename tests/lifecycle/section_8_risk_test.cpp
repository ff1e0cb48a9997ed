#include "tests/support/scenario.hpp"

#include <doctest/doctest.h>

#include <stdexcept>

using namespace backtest;
using namespace backtest::testing;

namespace {

/// Strategies a, b, ... that name these profiles, on a flat market of ten minutes.
scenario unmoving_market() {
  scenario market;
  market.prices(std::vector<std::optional<double>>(10, 100));
  market.frame_minutes(0, 9);
  return market;
}

risk_schema with_rule(risk_function rule, std::string note = "", std::string name = "r") {
  risk_schema schema;
  schema.risk_name = std::move(name);
  schema.validations.push_back({std::move(rule), std::move(note)});
  return schema;
}

} // namespace

TEST_CASE("lifecycle 8: positions are keyed by strategy and symbol") {
  auto market = unmoving_market();
  market.candles("ETH") = market.candles("BTC");
  texts seen;
  market.schemas.risks.push_back(with_rule([&seen](const risk_question& question) {
    auto text = fmt::format("{}:{} sees", question.run.strategy_name, question.run.symbol);
    for (const auto& held : question.active_positions)
      text += fmt::format(" {}:{}", held.strategy_name, held.symbol);
    seen.push_back(text);
    return std::optional<std::string>{};
  }));
  market.strategy(signals({{0, go_long(110, 90, 2)}}), "a").risk_name = "r";
  market.strategy(signals({{1, go_long(110, 90, 2)}}), "b").risk_name = "r";
  market.run();
  CHECK(seen == texts{"a:BTC sees", "a:ETH sees a:BTC", "b:BTC sees a:BTC a:ETH",
                      "b:ETH sees a:BTC a:ETH b:BTC"});
}

TEST_CASE("lifecycle 8: validations run in order, the first that rejects or throws rejects") {
  auto market = unmoving_market();
  texts asked;
  const auto rule = [&asked](std::string name, std::optional<std::string> answer) {
    return [&asked, name, answer](const risk_question&) {
      asked.push_back(name);
      return answer;
    };
  };
  risk_schema schema;
  schema.risk_name = "r";
  schema.validations = {
      {rule("first", {}), ""}, {rule("second", "no"), ""}, {rule("third", "never"), ""}};
  market.schemas.risks = {schema};
  market.strategy(signals({{0, go_long(110, 90)}})).risk_name = "r";
  CHECK(market.facts() == texts{"0 risk r: no (0)"});
  CHECK(asked == texts{"first", "second"});
}

TEST_CASE("lifecycle 8: a rule sees the request, the price, the instant and the active positions") {
  auto market = unmoving_market();
  market.schemas.risks.push_back(
      with_rule([](const risk_question& question) -> std::optional<std::string> {
        if (question.run.strategy_name == "a")
          return std::nullopt;
        CHECK(question.run.symbol == "BTC");
        CHECK(question.run.exchange_name == "paper");
        CHECK(question.pending_signal.position == position_side::short_side);
        CHECK(question.pending_signal.price_take_profit == 90);
        CHECK_FALSE(question.pending_signal.price_open);
        CHECK(question.current_price == 100);
        CHECK(question.timestamp == at_minute(3));
        CHECK(question.active_positions ==
              std::vector<active_position>{
                  {"a", "paper", "BTC", position_side::long_side, 101, at_minute(1)}});
        return std::nullopt;
      }));
  market.strategy(signals({{1, entering_at(101, go_long(110, 90))}}), "a").risk_name = "r";
  market.strategy(signals({{3, go_short(90, 110)}}), "b").risk_name = "r";
  CHECK(market.facts() == texts{"a 1 opened @101", "b 3 opened @100"});
}

TEST_CASE("lifecycle 8: a rejection is one event: profile, comment, position count, request") {
  auto market = unmoving_market();
  market.schemas.risks.push_back(at_most(1, "cap", "only one"));
  market.strategy(signals({{0, go_long(110, 90)}}), "a").risk_name = "cap";
  auto refused = go_short(90, 110);
  refused.note = "why not";
  market.strategy(signals({{2, refused}}), "b").risk_name = "cap";
  CHECK(market.facts() == texts{"a 0 opened @100", "b 2 risk cap: only one (1)"});
  for (const auto& item : market.run().events)
    if (const auto* risk = std::get_if<risk_event>(&item.payload)) {
      CHECK(risk->risk_name == "cap");
      CHECK(risk->pending_signal.position == position_side::short_side);
      CHECK(risk->pending_signal.note == "why not");
      CHECK(risk->current_price == 100);
      CHECK(risk->timestamp == at_minute(2));
    }
}

TEST_CASE("lifecycle 8: allowed -> no event") {
  auto market = unmoving_market();
  market.schemas.risks.push_back(at_most(5));
  market.strategy(signals({{0, go_long(110, 90)}})).risk_name = "cap";
  CHECK(market.facts() == texts{"0 opened @100"});
}

TEST_CASE("lifecycle 8: comment = the rule's note, else the reason or exception text, else N/A") {
  const auto comment = [](risk_function rule, const std::string& note) {
    auto market = unmoving_market();
    market.schemas.risks.push_back(with_rule(std::move(rule), note));
    market.strategy(signals({{0, go_long(110, 90)}})).risk_name = "r";
    return market.facts(interest::of(topic::risk)).at(0);
  };
  const auto says = [](const char* reason) {
    return [reason](const risk_question&) { return std::optional<std::string>{reason}; };
  };
  const auto throws = [](const char* text) {
    return [text](const risk_question&) -> std::optional<std::string> {
      throw std::runtime_error(text);
    };
  };
  CHECK(comment(says("reason"), "note") == "0 risk r: note (0)");
  CHECK(comment(says("reason"), "") == "0 risk r: reason (0)");
  CHECK(comment(says(""), "") == "0 risk r: N/A (0)");
  CHECK(comment(says(""), "note") == "0 risk r: note (0)");
  CHECK(comment(throws("broken"), "") == "0 risk r: broken (0)");
  CHECK(comment(throws("broken"), "note") == "0 risk r: note (0)");
}

TEST_CASE("lifecycle 8: validation is emitted only for an exception out of a user function") {
  auto market = unmoving_market();
  SUBCASE("a throw: validation, then risk") {
    market.schemas.risks.push_back(
        with_rule([](const risk_question&) -> std::optional<std::string> {
          throw std::runtime_error("broken");
        }));
    market.strategy(signals({{0, go_long(110, 90)}})).risk_name = "r";
    CHECK(market.facts() == texts{"validation: 0 risk_validation_failed", "0 risk r: broken (0)"});
  }
  SUBCASE("a rejection: none") {
    market.schemas.risks.push_back(at_most(0));
    market.strategy(signals({{0, go_long(110, 90)}})).risk_name = "cap";
    CHECK(market.facts() == texts{"0 risk cap: full (0)"});
  }
}

TEST_CASE("lifecycle 8: two strategies never both take the last free slot") {
  auto market = unmoving_market();
  market.schemas.risks.push_back(at_most(1));
  market.strategy(signals({{2, go_long(110, 90)}}), "b").risk_name = "cap";
  market.strategy(signals({{2, go_long(110, 90)}}), "a").risk_name = "cap";
  CHECK(market.facts() == texts{"a 2 opened @100", "b 2 risk cap: full (1)"});
}

TEST_CASE("lifecycle 8: a scheduled signal is only checked when created, and tried when it "
          "activates") {
  scenario market;
  market.prices({100, 100, 95, 95});
  market.schemas.risks.push_back(at_most(1));
  market.frame_minutes(0, 3);
  market.strategy(signals({{0, entering_at(95, go_long(110, 80))}}), "a").risk_name = "cap";
  market.strategy(signals({{1, go_long(110, 80)}}), "b").risk_name = "cap";
  CHECK(market.facts() == texts{"a 0 scheduled @95", "b 1 opened @100", "a 2 risk cap: full (1)",
                                "a 2 cancelled risk_reject"});
}

TEST_CASE("lifecycle 8: a strategy names one profile, several, both (risk_name first) or none") {
  auto market = unmoving_market();
  texts asked;
  for (const auto* name : {"one", "two", "three"})
    market.schemas.risks.push_back(with_rule(
        [&asked, name](const risk_question&) {
          asked.push_back(name);
          return std::optional<std::string>{};
        },
        "", name));
  auto& strategy = market.strategy(signals({{0, go_long(110, 90)}}));
  market.run();
  CHECK(asked == texts{});
  strategy.risk_name = "two";
  market.run();
  CHECK(asked == texts{"two"});
  asked.clear();
  strategy.risk_list = {"three", "one"};
  market.run();
  CHECK(asked == texts{"two", "three", "one"});
  asked.clear();
  strategy.risk_name = "";
  market.run();
  CHECK(asked == texts{"three", "one"});
}

TEST_CASE("lifecycle 8: several profiles: all must allow, first rejection wins, nothing is added "
          "anywhere unless all allow") {
  auto market = unmoving_market();
  market.schemas.risks = {at_most(1, "one"), at_most(0, "none"), at_most(0, "never asked")};
  market.strategy(signals({{0, go_long(110, 90)}}), "a").risk_list = {"one", "none", "never asked"};
  market.strategy(signals({{1, go_long(110, 90)}}), "b").risk_name = "one";
  CHECK(market.facts() == texts{"a 0 risk none: full (0)", "b 1 opened @100"});
}

TEST_CASE("lifecycle 8: an allowed signal is added to every profile it names") {
  auto market = unmoving_market();
  market.schemas.risks = {at_most(1, "one"), at_most(1, "two")};
  market.strategy(signals({{0, go_long(110, 90, 4)}}), "a").risk_list = {"one", "two"};
  market.strategy(signals({{1, go_long(110, 90)}, {4, go_long(110, 90)}}), "b").risk_name = "one";
  market.strategy(signals({{2, go_long(110, 90)}, {4, go_long(110, 90)}}), "c").risk_name = "two";
  CHECK(market.facts() == texts{"a 0 opened @100", "b 1 risk one: full (1)",
                                "c 2 risk two: full (1)", "a 4 closed time_expired @100",
                                "b 4 opened @100", "c 4 opened @100"});
}

TEST_CASE("lifecycle 8: two portfolios never share positions") {
  auto market = unmoving_market();
  market.schemas.risks.push_back(at_most(1));
  market.strategy(signals({{9, go_long(110, 90)}})).risk_name = "cap";
  CHECK(market.facts() == texts{"9 opened @100"});
  CHECK(market.facts() == texts{"9 opened @100"});
}

TEST_CASE("lifecycle 8, virtual time: the order is instant, then strategy, then symbol, bytewise") {
  auto market = unmoving_market();
  market.candles("aTC") = market.candles("BTC");
  texts asked;
  market.schemas.risks.push_back(with_rule([&asked](const risk_question& question) {
    asked.push_back(fmt::format("{} {} {}", (question.timestamp - minute_zero) / minute_ms,
                                question.run.strategy_name, question.run.symbol));
    return std::optional<std::string>{};
  }));
  market.strategy(signals({{0, go_long(110, 90)}}), "z").risk_name = "r";
  market.strategy(signals({{3, go_long(110, 90)}}), "A").risk_name = "r";
  market.strategy(signals({{0, entering_at(95, go_long(110, 80))}}), "a").risk_name = "r";
  for (const instant range : {minute_ms, 3 * minute_ms, 100 * minute_ms}) {
    asked.clear();
    market.options.range = range;
    market.run();
    // "B" < "a" bytewise; the check of a's schedule takes its place among the openings.
    CHECK(asked == texts{"0 a BTC", "0 a aTC", "0 z BTC", "0 z aTC", "3 A BTC", "3 A aTC"});
  }
}

TEST_CASE("lifecycle 8, virtual time: a position that closes at t is gone for every request at t") {
  auto market = unmoving_market();
  market.schemas.risks.push_back(at_most(1));
  market.strategy(signals({{4, go_long(110, 90)}}), "a").risk_name = "cap";
  market.strategy(signals({{0, go_long(110, 90, 4)}, {4, go_long(110, 90)}}), "z").risk_name =
      "cap";
  CHECK(market.facts() == texts{"z 0 opened @100", "a 4 opened @100",
                                "z 4 closed time_expired @100", "z 4 risk cap: full (1)"});
}
