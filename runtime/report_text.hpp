#pragma once

#include "messages/signal.hpp"
#include "runtime/statistics.hpp"

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace backtest {

/// "# <report>: <subject>", on one line whatever the names contain.
std::string report_title(std::string_view report, std::string_view subject);
/// "# <report>: <symbol>:<strategy>" and a line with mode, exchange and frame as far as known.
std::string report_title(std::string_view report, const run_identity& run);

/// "**Label:** value", ended so that the next line of the block stays a line of its own.
std::string labelled_line(std::string_view label, std::string_view value);

std::string counted_line(std::string_view label, std::int64_t count);

/// "**Mode:** live · **Exchange:** csv", facts without a value left out.
std::string facts_line(std::initializer_list<std::pair<std::string_view, std::string_view>> facts);

/// Blocks separated by blank lines, empty ones left out.
std::string join_blocks(std::initializer_list<std::string> blocks);

// File names: names made safe, joined by underscores. Where another symbol and name would join to
// the same text, as "A_B" and "C" do to that of "A" and "B_C", the one that is mistaken gets a
// hash.

/// "BTCUSDT_cross.md"; `name` is that of a strategy or a walker.
std::string report_file_name(std::string_view symbol, std::string_view name);
/// "BTCUSDT_cross_backtest.md", for reports that exist in both modes.
std::string run_file_name(const run_identity& run);
/// "cross_backtest.md", for reports about all symbols.
std::string strategy_file_name(std::string_view strategy, run_mode mode);

/// "*The newest 250 of 1200 rows.*"; empty when a table shows all of them.
std::string part_note(std::int64_t shown, std::int64_t total);

/// The summary of closed trades that backtest and live reports share: one labelled line per figure,
/// with a hint which way is better; absent figures read "N/A (reason)".
std::string trade_summary(const trade_statistics& statistics);

/// What the figures rest on: the gates, trades that neither won nor lost or were left out, and
/// figures that cover the latest trades alone.
std::string reliability_note(const trade_statistics& statistics, const statistics_gates& gates);

} // namespace backtest
