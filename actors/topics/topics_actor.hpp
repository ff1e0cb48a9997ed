#pragma once

#include "actors/contracts.hpp"

namespace backtest {

/// Events a subscriber may be behind before backtests wait for it.
inline constexpr std::size_t backlog_high_water = 10'000;

/// The bus every event goes through.
topics_actor spawn_topics(caf::actor_system& system, const shared_census& census);

} // namespace backtest
