#pragma once

#include "actors/contracts.hpp"

#include <memory>

namespace backtest {

/// Reads a store beside its owner, on a thread of its own.
snapshot_reader_actor spawn_snapshot_reader(caf::actor_system& system, const shared_census& census,
                                            std::shared_ptr<const store> target);

/// The same on the scheduler's threads, for protocol tests over an in-memory store.
snapshot_reader_actor spawn_scheduled_snapshot_reader(caf::actor_system& system,
                                                      const shared_census& census,
                                                      std::shared_ptr<const store> target);

} // namespace backtest
