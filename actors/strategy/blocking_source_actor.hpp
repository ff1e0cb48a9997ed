#pragma once

#include "actors/client_contracts.hpp"

namespace backtest {

/// Wraps a signal function that may block into an actor with a thread of its own. Who ends the
/// actor does not wait for the function: it is left to its call, on a thread that holds nothing of
/// the actor system and reaches its actors only as long as `census` is open to visits. `awaited`:
/// who its questions for candles are for.
signal_source_actor spawn_blocking_source(caf::actor_system& system, const shared_census& census,
                                          std::shared_ptr<const strategy_schema> schema,
                                          std::int64_t avg_price_candles_count,
                                          number_formats formats, shared_sizings sizings,
                                          const exchange_actor& exchange, awaited_by awaited);

/// Asks an exchange client for candles and waits; not inside an exchange client.
series_loader blocking_loader(caf::actor_system& system, exchange_actor exchange,
                              awaited_by awaited);

} // namespace backtest
