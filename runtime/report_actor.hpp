#pragma once

#include "actors/contracts.hpp"
#include "runtime/report_kind.hpp"

namespace backtest {

/// The built-in subscriber that keeps these reports.
report_actor spawn_reports(caf::actor_system& system, const shared_census& census,
                           report_set enabled = {report_kind::backtest, report_kind::live});

} // namespace backtest
