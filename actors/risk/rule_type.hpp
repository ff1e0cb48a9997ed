#pragma once

#include "actors/risk/risk_schema.hpp"
#include "messages/parameter_info.hpp"

#include <boost/json/object.hpp>

namespace backtest {

/// A risk rule a configuration file may name; `make` turns its parameters (without `type` and
/// `note`) into a validation.
struct rule_type {
  std::string name;
  std::string note;
  std::vector<parameter_info> parameters;
  /// Throws as `strategy_type::make` does.
  std::function<risk_function(const boost::json::object& params)> make;
};

} // namespace backtest
