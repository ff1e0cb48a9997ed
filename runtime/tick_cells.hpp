#pragma once

#include "messages/event.hpp"
#include "runtime/column.hpp"

#include <string>

/// Cells of the tables whose rows are tick results (backtest, live, schedule, walker). Whatever the
/// result does not carry reads N/A.
namespace backtest::tick_cells {

/// "CLOSED"
std::string action(const tick_result& row, std::size_t index);
/// When what the row tells happened: scheduled, opened, ended, else the instant examined.
std::string event_time(const tick_result& row, std::size_t index);
std::string signal_id(const tick_result& row, std::size_t index);
std::string symbol(const tick_result& row, std::size_t index);
std::string strategy(const tick_result& row, std::size_t index);
/// "LONG" / "SHORT"
std::string position(const tick_result& row, std::size_t index);
/// Plain text on one line.
std::string note(const tick_result& row, std::size_t index);
std::string current_price(const tick_result& row, std::size_t index);
std::string open_price(const tick_result& row, std::size_t index);
std::string take_profit(const tick_result& row, std::size_t index);
std::string stop_loss(const tick_result& row, std::size_t index);
std::string pnl(const tick_result& row, std::size_t index);
/// Percent of the way to the target, of a signal that is alive.
std::string percent_tp(const tick_result& row, std::size_t index);
std::string percent_sl(const tick_result& row, std::size_t index);
/// Close or cancel reason.
std::string reason(const tick_result& row, std::size_t index);
/// Minutes from opening to the end; of a cancelled signal, which never opened, from scheduling.
std::string duration(const tick_result& row, std::size_t index);
/// Minutes a scheduled signal waited, until it opened or was cancelled.
std::string wait_time(const tick_result& row, std::size_t index);
std::string open_time(const tick_result& row, std::size_t index);
std::string close_time(const tick_result& row, std::size_t index);
std::string peak_pnl(const tick_result& row, std::size_t index);
std::string fall_pnl(const tick_result& row, std::size_t index);

} // namespace backtest::tick_cells
