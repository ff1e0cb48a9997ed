#pragma once

#include "actors/contracts.hpp"
#include "storage/journal_retention.hpp"

#include <functional>

namespace backtest {

struct store_setup {
  std::shared_ptr<store> target; ///< others may read it, and take snapshots
  journal_limits limits;
  /// Hears in the store's thread of what keeps no commit from going through: old entries that
  /// cannot be read stay (`store_failed`).
  std::function<void(error)> report = [](const error&) {};
};

/// The owner of a store, on a thread of its own: a synced commit blocks. Throws
/// `failure(store_failed)` when the journal cannot be read.
store_actor spawn_store(caf::actor_system& system, const shared_census& census, store_setup setup);

/// The same on the scheduler's threads, for protocol tests over an in-memory store.
store_actor spawn_scheduled_store(caf::actor_system& system, const shared_census& census,
                                  store_setup setup);

} // namespace backtest
