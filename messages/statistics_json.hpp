#pragma once

#include "messages/json.hpp"
#include "messages/json_reader.hpp"
#include "messages/trade_statistics.hpp"

namespace backtest {

/// An object with every figure, null where it is absent; `unavailable` then names the gates.
/// `sampled`, only there when a figure rests on the latest trades alone:
/// {"median_pnl": {"trades": 100000, "of": 120000}}.
void write_json(json_writer& out, const trade_statistics& statistics);
void read_json(const json_reader& in, trade_statistics& statistics);

} // namespace backtest
