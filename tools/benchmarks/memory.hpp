#pragma once

#include <cstddef>
#include <string>

/// What things cost in memory. Every figure comes from processes of their own: the program runs
/// itself again with one of these flags.
namespace backtest::benchmarks {

/// Child: spawns idle strategy clients through the supervisor; prints the resident KiB.
void hold_idle_strategies(std::size_t count);
/// Child: loads a CSV file through the exchange client; prints candles, and the resident KiB
/// before, after, and at the peak.
void hold_candles(const std::string& file);

/// Parents: compare children, and print a line each.
void print_idle_strategy_size();
void print_candle_size();

} // namespace backtest::benchmarks
