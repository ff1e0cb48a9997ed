#pragma once

#include "actors/contracts.hpp"

namespace backtest {

/// Events a subscriber may be behind before publishers of what it hears, if they wait for their
/// answer, do not get it. To one further behind than that, live runs that do not wait leave the
/// journal: it gets what is journalled from there once it has caught up, the rest not at all, and
/// `listener_behind` tells.
inline constexpr std::size_t backlog_high_water = 10'000;

/// The bus every event goes through. What is published while it is busy goes out together; to
/// publish nothing is to end such a turn, and it does so itself. `patience`: after `set_patience`
/// too, somebody has to end it.
topics_actor spawn_topics(caf::actor_system& system, const shared_census& census,
                          std::chrono::seconds patience = std::chrono::seconds{0});

} // namespace backtest
