#pragma once

#include "runtime/html_report.hpp"

#include <string>

namespace backtest::html {

/// A section per symbol: the ranking of its strategies, and their equity in one chart.
std::string walk_sections(const html_report& report);

/// The report without the runs that did not win on their symbol, and what they were refused; errors
/// stay. Where nobody won, no run of the symbol stays.
html_report winners_of(const html_report& report);

} // namespace backtest::html
