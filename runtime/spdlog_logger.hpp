#pragma once

#include "messages/logger.hpp"

namespace backtest {

/// The default logger: spdlog, to stderr, from `lowest` on.
shared_logger make_spdlog_logger(log_level lowest, bool colour = true);

} // namespace backtest
