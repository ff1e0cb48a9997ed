#pragma once

#include "messages/time.hpp"

namespace backtest {

/// The machine's clock, in milliseconds since 1970. Any thread.
instant wall_clock();

} // namespace backtest
