#pragma once

#include "actors/risk/rule_type.hpp"

namespace backtest {

/// Reject when `limit` positions of the profile are active already.
risk_function max_positions(std::int64_t limit);
/// The same, counting positions on the request's symbol.
risk_function max_positions_per_symbol(std::int64_t limit);
/// The same, counting positions on the request's side.
risk_function max_same_side(std::int64_t limit);
/// Reject unless |take profit - open| / |open - stop loss| >= ratio; open is the current price for
/// a request without one.
risk_function min_reward_risk(double ratio);
risk_function allow_symbols(std::vector<std::string> symbols);
risk_function deny_symbols(std::vector<std::string> symbols);
/// Allow while from <= UTC hour < to, around midnight when from > to. Hours 0 to 24.
risk_function allow_hours(std::int64_t from, std::int64_t to);

/// All of them as types a configuration file may name.
std::vector<rule_type> built_in_rule_types();

} // namespace backtest
