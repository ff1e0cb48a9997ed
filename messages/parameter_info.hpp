#pragma once

#include "messages/json_reader.hpp"

#include <string>
#include <vector>

namespace backtest {

/// What people are told about one parameter of a strategy or rule type.
struct parameter_info {
  std::string name;
  std::string default_text; ///< as JSON; "" when the parameter must be given
  std::string meaning;
};

/// Every member must be one of the parameters; throws `json_failure`.
inline void allow_only(const json_reader& in, const std::vector<parameter_info>& parameters) {
  std::vector<std::string_view> names;
  for (const auto& parameter : parameters)
    names.emplace_back(parameter.name);
  in.allow_only(names);
}

} // namespace backtest
