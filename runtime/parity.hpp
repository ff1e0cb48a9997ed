#pragma once

#include "runtime/runtime.hpp"

#include <optional>
#include <string>
#include <vector>

namespace backtest {

/// What a backtest and a live run on the replay clock came to.
struct parity_result {
  std::size_t compared = 0; ///< events that were equal
  /// The first difference in words; nothing when there is none.
  std::optional<std::string> difference;
  std::vector<run_summary> failed; ///< runs of which there was nothing to compare
};

/// Runs the same strategies through both drivers and compares every event with an instant, in
/// order, and the counts of each run. The live run keeps what it must in the runtime's store: use a
/// runtime without a data directory. Throws `failure` when a run cannot start. Not from an actor.
parity_result compare_drivers(runtime& target, const backtest_request& request);

} // namespace backtest
