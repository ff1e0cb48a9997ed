#pragma once

#include "actors/risk/rule_type.hpp"
#include "actors/strategy/strategy_type.hpp"

#include <span>
#include <string_view>
#include <vector>

namespace backtest {

/// The strategy and risk-rule types that configuration files may name.
class type_registry {
public:
  /// Throw `failure`: `already_exists` for a name that is taken, `invalid_argument` for an empty
  /// name, a type without `make`, or a default interval no strategy may have.
  void add_strategy_type(strategy_type type);
  void add_rule_type(rule_type type);

  /// Null when there is none. Valid until the next add.
  const strategy_type* find_strategy_type(std::string_view name) const noexcept;
  const rule_type* find_rule_type(std::string_view name) const noexcept;

  /// In the order of registration.
  std::span<const strategy_type> strategy_types() const noexcept { return strategies_; }
  std::span<const rule_type> rule_types() const noexcept { return rules_; }

private:
  std::vector<strategy_type> strategies_;
  std::vector<rule_type> rules_;
};

/// A registry of everything that comes with the library.
type_registry with_built_ins();

} // namespace backtest
