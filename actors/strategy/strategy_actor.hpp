#pragma once

#include "actors/contracts.hpp"

namespace backtest {

/// The client of one strategy on one symbol: its signal machine and its signal source. One run at
/// a time: `prepare_run`, then ranges until the run is over.
strategy_actor spawn_strategy_client(caf::actor_system& system, const shared_census& census,
                                     std::shared_ptr<const strategy_schema> schema);

/// Wraps a signal function that may block into an actor with a thread of its own.
signal_source_actor spawn_blocking_source(caf::actor_system& system, const shared_census& census,
                                          std::shared_ptr<const strategy_schema> schema,
                                          std::int64_t avg_price_candles_count,
                                          number_formats formats, shared_sizings sizings);

/// Asks an exchange client for candles and waits; not inside an exchange client.
series_loader blocking_loader(caf::actor_system& system, exchange_actor exchange);

} // namespace backtest
