#pragma once

#include "actors/contracts.hpp"

namespace backtest {

/// The client of one frame: its instants, computed once.
frame_actor spawn_frame_client(caf::actor_system& system, const shared_census& census,
                               frame_schema schema);

} // namespace backtest
