#pragma once

#include "actors/contracts.hpp"
#include "actors/sizing/sizing_schema.hpp"

#include <functional>

namespace backtest {

/// The client of one sizing. `report` hears what the schema's callback threw, inside the client.
sizing_actor spawn_sizing_client(caf::actor_system& system, const shared_census& census,
                                 sizing_schema schema, std::function<void(error)> report);

} // namespace backtest
