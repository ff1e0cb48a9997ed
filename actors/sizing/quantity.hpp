#pragma once

#include "actors/sizing/sizing_schema.hpp"

namespace backtest {

/// The quantity in base units that a sizing allows, not rounded: `format_quantity` of the exchange
/// does that. 0 (do not open) without an edge or a balance, and where even the minimum would break
/// `max_position_percentage`. Throws `failure{invalid_argument}`: method mismatch, inputs out of
/// range. Calls no callback.
double quantity_of(const sizing_schema& sizing, const size_request& request);

/// Calls `on_calculate`; what it threw, naming the sizing.
std::optional<std::string> tell_calculated(const sizing_schema& sizing, std::string_view symbol,
                                           double quantity, const size_request& request);

} // namespace backtest
