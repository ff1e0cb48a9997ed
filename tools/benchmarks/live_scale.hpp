#pragma once

#include <cstddef>
#include <string_view>

namespace backtest::benchmarks {

/// 2,000 symbols on a replay, a minute at a time: what a boundary costs against a plain loop that
/// does the same transitions, with the store stubbed and with RocksDB; transitions a second against
/// raw RocksDB commits of the same bytes.
void print_live_ratios();

/// Resident size of a live strategy, of two processes with 1 and many; and of a week's replay after
/// its first day and at its end.
void print_live_memory();

/// The boundaries with the store stubbed, for a profiler: of sma_cross, "asked": every run for a
/// signal in vain, or "busy": every run in transition.
void run_live_boundaries(std::string_view how);

/// What the processes above run; each prints resident KiB.
void hold_live_strategies(std::size_t count);
void replay_a_week();

} // namespace backtest::benchmarks
