#pragma once

#include "actors/contracts.hpp"

namespace backtest {

/// The tracker of one signal's milestones.
partial_actor spawn_partial_client(caf::actor_system& system, const shared_census& census);

} // namespace backtest
