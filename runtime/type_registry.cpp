#include "runtime/type_registry.hpp"

#include "actors/risk/built_in_rules.hpp"
#include "actors/strategy/built_in_strategies.hpp"

#include <fmt/format.h>

namespace backtest {

namespace {

template <class Type>
const Type* find(const std::vector<Type>& types, std::string_view name) noexcept {
  for (const auto& type : types)
    if (type.name == name)
      return &type;
  return nullptr;
}

template <class Type>
void add(std::vector<Type>& types, Type type, std::string_view kind) {
  if (type.name.empty())
    throw failure(error_code::invalid_argument, fmt::format("a {} must have a name", kind));
  if (!type.make)
    throw failure(error_code::invalid_argument,
                  fmt::format("{} {} has no make function", kind, type.name));
  if (find(types, type.name))
    throw failure(error_code::already_exists, fmt::format("{} {} already exist", kind, type.name));
  types.push_back(std::move(type));
}

} // namespace

void type_registry::add_strategy_type(strategy_type type) {
  if (!is_strategy_interval(type.default_interval))
    throw failure(error_code::invalid_argument,
                  fmt::format("strategy type {}: expected a default interval from 1m to 1h, got {}",
                              type.name, to_string(type.default_interval)));
  add(strategies_, std::move(type), "strategy type");
}

void type_registry::add_rule_type(rule_type type) { add(rules_, std::move(type), "rule type"); }

const strategy_type* type_registry::find_strategy_type(std::string_view name) const noexcept {
  return find(strategies_, name);
}

const rule_type* type_registry::find_rule_type(std::string_view name) const noexcept {
  return find(rules_, name);
}

type_registry with_built_ins() {
  type_registry registry;
  for (auto& type : built_in_strategy_types())
    registry.add_strategy_type(std::move(type));
  for (auto& type : built_in_rule_types())
    registry.add_rule_type(std::move(type));
  return registry;
}

} // namespace backtest
