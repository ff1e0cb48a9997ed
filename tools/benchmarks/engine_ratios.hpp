#pragma once

#include <string>

namespace backtest::benchmarks {

/// Engine and plain core against the hand-written loop, per strategy.
void print_single_run_ratios();
/// What a second thread gains, for the loop and for portfolios with and without a shared profile.
void print_portfolio_ratios();
/// The CSV reader against the baseline parser, on a file it writes to the temporary directory.
void print_csv_ratio();

/// Runs one side alone, `times` times, for a profiler: "engine", "core" or "loop".
void run_alone(const std::string& side, const std::string& strategy, int times);

} // namespace backtest::benchmarks
