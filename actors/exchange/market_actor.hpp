#pragma once

#include "actors/client_contracts.hpp"

namespace backtest {

/// What a signal source that is an actor may know at `known`: asks the exchange client for it and
/// refuses whatever lies behind. The exchange client itself would answer for every instant.
/// `awaited`: who waits for the source.
market_actor spawn_market(caf::actor_system& system, const shared_census& census,
                          const exchange_actor& exchange, instant known, awaited_by awaited);

} // namespace backtest
