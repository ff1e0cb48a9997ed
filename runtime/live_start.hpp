#pragma once

#include "runtime/error_counts.hpp"
#include "runtime/live_runs.hpp"
#include "runtime/portfolio.hpp"

namespace backtest {

/// What a live start makes of what it found in the store.
struct live_start {
  std::vector<stored_run> orphans; ///< to be watched
  store_batch rows;                ///< quarantine and erasures, for the first turn
  std::vector<event> events;       ///< error events that tell about them
  error_counts errors;             ///< of the runs that the store still keeps afterwards
};

/// Decides about everything in the store that does not belong to `included` (exchange, strategy and
/// symbol of the runs to come). `now` is the time of the quarantine; `profiles_of_strategy` knows
/// the risk profiles of a strategy by name. Throws `failure`: `state_mismatch`, or
/// `orphaned_signals` listing them.
live_start prepare_live_start(
    const stored_runs& found, const std::vector<shared_identity>& included, orphan_policy policy,
    instant now,
    const std::function<std::vector<std::string>(const std::string&)>& profiles_of_strategy);

} // namespace backtest
