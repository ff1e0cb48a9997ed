#pragma once

#include "messages/candle.hpp"
#include "messages/json_reader.hpp"
#include "messages/signal.hpp"

namespace backtest {

/// The small values as JSON. Times are integer milliseconds, absent optionals are left out,
/// `read_json` throws `json_failure` for a missing or wrong-typed field and ignores fields it does
/// not know, so that rows of a later version stay readable.
void write_json(json_writer& out, const signal_row& row);
void write_json(json_writer& out, const signal_request& request);
void write_json(json_writer& out, const run_identity& run);
void write_json(json_writer& out,
                const candle& bar); ///< [open_time, open, high, low, close, volume]
void write_json(json_writer& out, const candle_series& series);
void write_json(json_writer& out, const error& reason);

void read_json(const json_reader& in, signal_row& row);
void read_json(const json_reader& in, signal_request& request);
void read_json(const json_reader& in, run_identity& run);
void read_json(const json_reader& in, candle& bar);
void read_json(const json_reader& in, candle_series& series);
void read_json(const json_reader& in, error& reason);

/// symbol, strategy_name, exchange_name, frame_name and `backtest` as members of an open object.
void write_run_fields(json_writer& out, const run_identity& run);

} // namespace backtest
