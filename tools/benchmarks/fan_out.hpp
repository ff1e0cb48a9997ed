#pragma once

namespace backtest::benchmarks {

/// Events a second from one producer to 1, 10 and 100 subscribers of the bus, against sending the
/// same batches to them without it; subscribers whose filter lets one event in a hundred through,
/// against unfiltered ones; an event that nobody asked for.
void print_fan_out_ratios();

} // namespace backtest::benchmarks
