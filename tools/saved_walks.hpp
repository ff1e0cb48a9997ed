#pragma once

#include "runtime/event_file.hpp"
#include "runtime/walker_report.hpp"

#include <vector>

namespace backtest::tools {

/// The reports of a walker on each symbol, in the order they were walked, made from the events of a
/// walk. Empty when they tell of no walker.
std::vector<walker_report> saved_walks(const recorded_run& run, const configuration& parameters,
                                       const std::vector<event>& events);

} // namespace backtest::tools
