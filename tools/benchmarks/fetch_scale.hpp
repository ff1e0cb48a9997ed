#pragma once

namespace backtest::benchmarks {

/// The newest minute of 2,000 symbols over HTTP, from a server of this process: by an exchange
/// client, and by a whole live boundary, against a plain loop over the same addresses with as many
/// connections.
void print_fetch_ratios();

} // namespace backtest::benchmarks
