#pragma once

#include "actors/contracts.hpp"

#include <stop_token>

namespace backtest {

/// The client of one exchange, on a thread of its own: its source may block. `shutdown` cuts
/// waiting between attempts short.
exchange_actor spawn_exchange_client(caf::actor_system& system, const shared_census& census,
                                     exchange_schema schema, configuration parameters,
                                     std::stop_token shutdown);

/// How an exchange's schema prints prices and quantities.
number_formats formats_of(const exchange_schema& schema);

} // namespace backtest
