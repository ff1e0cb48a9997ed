#pragma once

#include "actors/client_contracts.hpp"
#include "actors/exchange/candle_keeper.hpp"

#include <stop_token>

namespace backtest {

/// Makes the keeper of one of a client's threads.
using candle_keeper_factory = std::function<std::shared_ptr<candle_keeper>()>;

/// What a source may ask a backtest to wait before it asks again.
inline constexpr std::chrono::seconds longest_fetch_wait{300};

/// The client of one exchange, on threads of its own, as its source may block: one that answers
/// from what is held, and `schema.concurrent_fetches` that fetch, each the symbol whose turn it is.
/// A symbol that waits for its next attempt takes none of them. A source that asks to wait longer
/// than `longest_wait` fails the request. `shutdown` ends all waiting. `make_keeper` empty: no
/// candle outlives the client.
exchange_actor spawn_exchange_client(caf::actor_system& system, const shared_census& census,
                                     exchange_schema schema, configuration parameters,
                                     std::stop_token shutdown,
                                     std::chrono::seconds longest_wait = longest_fetch_wait,
                                     candle_keeper_factory make_keeper = {});

/// How an exchange's schema prints prices and quantities.
number_formats formats_of(const exchange_schema& schema);

} // namespace backtest
