#pragma once

#include "actors/client_contracts.hpp"

#include <functional>
#include <memory>
#include <string>

namespace backtest {

struct publisher_setup {
  std::shared_ptr<const store> journal; ///< read through snapshots, beside its commits
  store_actor commits;                  ///< says when it has grown
  /// The driver of a run; throws `failure(invalid_argument)` when there is none. Thread-safe.
  std::function<live_actor(const std::string& symbol, const std::string& strategy)> find_run;
  /// Milliseconds of a clock that only goes forward; without it, time stands still.
  std::function<std::int64_t()> now = [] { return std::int64_t{0}; };
};

/// Serves taps and operators, on a thread of its own: it reads the store. Of a tap it holds the
/// handle, a number, a filter and a credit.
publisher_actor spawn_publisher(caf::actor_system& system, const shared_census& census,
                                publisher_setup setup);

/// The same on the scheduler's threads, for protocol tests over an in-memory store.
publisher_actor spawn_scheduled_publisher(caf::actor_system& system, const shared_census& census,
                                          publisher_setup setup);

/// Why a command came to nothing whose run was there a moment ago.
error run_ended_early(const caf::error& reason);

} // namespace backtest
