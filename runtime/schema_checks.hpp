#pragma once

#include "runtime/schemas.hpp"

namespace backtest {

/// What a registration must satisfy on its own, before names are resolved. Each throws
/// `failure{invalid_argument}` naming kind, schema, field and what was expected.
void check_schema(const exchange_schema& schema);
void check_schema(const frame_schema& schema);
void check_schema(const risk_schema& schema);
void check_schema(const sizing_schema& schema);
void check_schema(const strategy_schema& schema);
void check_schema(const walker_schema& schema);

} // namespace backtest
