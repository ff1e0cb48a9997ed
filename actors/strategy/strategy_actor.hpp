#pragma once

#include "actors/client_contracts.hpp"

namespace backtest {

/// The client of one strategy on one symbol: its signal machine and its signal source. One run at
/// a time: `prepare_run`, then ranges until the run is over.
strategy_actor spawn_strategy_client(caf::actor_system& system, const shared_census& census,
                                     std::shared_ptr<const strategy_schema> schema);

} // namespace backtest
