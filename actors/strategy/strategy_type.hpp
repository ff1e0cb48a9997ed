#pragma once

#include "actors/strategy/strategy_schema.hpp"
#include "messages/parameter_info.hpp"

#include <boost/json/object.hpp>

namespace backtest {

/// A strategy a configuration file may name; `make` turns its `params` into a signal source.
struct strategy_type {
  std::string name;
  std::string note;
  interval default_interval = interval::m1; ///< 1m to 1h
  std::vector<parameter_info> parameters;
  /// Throws `failure` naming the parameter for an unknown key, a wrong type or a value outside its
  /// range; a `json_failure` has the path within `params`.
  std::function<signal_function(const boost::json::object& params, interval size)> make;
};

} // namespace backtest
