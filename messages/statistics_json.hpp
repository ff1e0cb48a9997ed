#pragma once

#include "messages/json.hpp"
#include "messages/json_reader.hpp"
#include "messages/trade_statistics.hpp"

namespace backtest {

/// An object with every figure, null where it is absent; `unavailable` then names the gates.
void write_json(json_writer& out, const trade_statistics& statistics);
void read_json(const json_reader& in, trade_statistics& statistics);

} // namespace backtest
