#pragma once

#include "actors/contracts.hpp"

namespace backtest {

/// The built-in subscriber that keeps every report.
report_actor spawn_reports(caf::actor_system& system, const shared_census& census);

} // namespace backtest
