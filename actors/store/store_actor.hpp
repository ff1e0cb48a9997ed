#pragma once

#include "actors/contracts.hpp"
#include "storage/journal_retention.hpp"

namespace backtest {

/// What a store actor is made of; `now` gives the wall clock for the journal's age.
struct store_setup {
  std::unique_ptr<store> target;
  journal_limits limits;
  std::function<instant()> now;
};

/// The owner of a store, on a thread of its own: a synced commit blocks. Throws
/// `failure(store_failed)` when the journal cannot be read.
store_actor spawn_store(caf::actor_system& system, const shared_census& census, store_setup setup);

/// The same on the scheduler's threads, for protocol tests over an in-memory store.
store_actor spawn_scheduled_store(caf::actor_system& system, const shared_census& census,
                                  store_setup setup);

} // namespace backtest
