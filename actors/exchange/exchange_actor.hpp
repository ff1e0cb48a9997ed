#pragma once

#include "actors/contracts.hpp"
#include "actors/exchange/candle_keeper.hpp"

#include <stop_token>

namespace backtest {

/// Makes the keeper of one of a client's threads.
using candle_keeper_factory = std::function<std::shared_ptr<candle_keeper>()>;

/// The client of one exchange, on threads of its own, as its source may block: one, or
/// `schema.concurrent_fetches` that each have some of the symbols. `shutdown` cuts waiting between
/// attempts short. `make_keeper` empty: no candle outlives the client.
exchange_actor spawn_exchange_client(caf::actor_system& system, const shared_census& census,
                                     exchange_schema schema, configuration parameters,
                                     std::stop_token shutdown,
                                     candle_keeper_factory make_keeper = {});

/// How an exchange's schema prints prices and quantities.
number_formats formats_of(const exchange_schema& schema);

} // namespace backtest
