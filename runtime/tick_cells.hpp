#pragma once

#include "messages/event.hpp"
#include "runtime/column.hpp"

#include <string>

/// Cells of the tables whose rows are tick results (backtest, live, schedule, walker). Whatever the
/// result does not carry reads N/A.
namespace backtest::tick_cells {

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
/// Close or cancel reason.
std::string reason(const tick_result& row, std::size_t index);
/// Minutes from opening to the end.
std::string duration(const tick_result& row, std::size_t index);
std::string open_time(const tick_result& row, std::size_t index);
std::string close_time(const tick_result& row, std::size_t index);
std::string peak_pnl(const tick_result& row, std::size_t index);
std::string fall_pnl(const tick_result& row, std::size_t index);

} // namespace backtest::tick_cells
