#pragma once

#include "messages/configuration.hpp"
#include "messages/json_reader.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace backtest {

/// What people are told about one parameter.
struct configuration_parameter {
  std::string_view name;
  std::string default_text; ///< as it would stand in a configuration file
  std::string_view range_text;
  std::string_view meaning;
};

/// All parameters in the order of `configuration`.
std::span<const configuration_parameter> configuration_parameters();

/// The take-profit distance must pay for both sides of a trade: at least 2 * (fee + slippage), all
/// in percent. One sentence when it does not; nothing when it does or the rule is switched off.
/// Called with the costs of an exchange that overrides those of the configuration.
std::optional<std::string> trading_cost_violation(const configuration& values, double percent_fee,
                                                  double percent_slippage);

/// Every parameter by name.
void write_json(json_writer& out, const configuration& values);

/// Sets the parameters that are given and leaves the others. Throws `json_failure` for an unknown
/// name or a wrong type; ranges are the business of `require_valid`.
void read_json(const json_reader& in, configuration& values);

} // namespace backtest
