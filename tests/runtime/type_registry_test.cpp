#include "runtime/type_registry.hpp"

#include <doctest/doctest.h>

using namespace backtest;

namespace {

strategy_type some_strategy(std::string name) {
  return {std::move(name), "", interval::m1, {}, [](const boost::json::object&, interval) {
            return signal_function{};
          }};
}

rule_type some_rule(std::string name) {
  return {std::move(name), "", {}, [](const boost::json::object&) { return risk_function{}; }};
}

} // namespace

TEST_CASE("type registry: the built-ins in the order of their tables") {
  const auto registry = with_built_ins();
  std::vector<std::string> strategies;
  for (const auto& type : registry.strategy_types())
    strategies.push_back(type.name);
  CHECK(strategies == std::vector<std::string>{"sma_cross", "pullback_limit", "time_grid",
                                               "marketable_limit", "never"});
  std::vector<std::string> rules;
  for (const auto& type : registry.rule_types())
    rules.push_back(type.name);
  CHECK(rules == std::vector<std::string>{"max_positions", "max_positions_per_symbol",
                                          "max_same_side", "min_reward_risk", "symbols", "hours"});
}

TEST_CASE("type registry: a type is found by its name") {
  auto registry = with_built_ins();
  registry.add_strategy_type(some_strategy("mine"));
  registry.add_rule_type(some_rule("mine"));
  REQUIRE(registry.find_strategy_type("mine"));
  CHECK(registry.find_strategy_type("mine")->name == "mine");
  REQUIRE(registry.find_rule_type("hours"));
  CHECK(registry.find_strategy_type("hours") == nullptr);
  CHECK(registry.find_rule_type("") == nullptr);
}

TEST_CASE("type registry: a name is taken once") {
  auto registry = with_built_ins();
  CHECK_THROWS_WITH(registry.add_strategy_type(some_strategy("never")),
                    "strategy type never already exist");
  CHECK_THROWS_WITH(registry.add_rule_type(some_rule("hours")), "rule type hours already exist");
  CHECK(registry.strategy_types().size() == 5);
}

TEST_CASE("type registry: incomplete types are refused") {
  type_registry registry;
  CHECK_THROWS_WITH(registry.add_rule_type(some_rule("")), "a rule type must have a name");
  CHECK_THROWS_WITH(registry.add_rule_type({"x", "", {}, {}}), "rule type x has no make function");
  auto slow = some_strategy("slow");
  slow.default_interval = interval::h4;
  CHECK_THROWS_WITH(registry.add_strategy_type(slow),
                    "strategy type slow: expected a default interval from 1m to 1h, got 4h");
}
