#pragma once

#include "actors/contracts.hpp"

namespace backtest {

/// The arbiter of profiles that strategies name together: answers in order of virtual time. Live,
/// callbacks wait for `announce_decisions`.
risk_actor spawn_risk_client(caf::actor_system& system, const shared_census& census,
                             std::vector<risk_schema> profiles,
                             std::vector<risk_participant> participants, run_mode mode);

} // namespace backtest
