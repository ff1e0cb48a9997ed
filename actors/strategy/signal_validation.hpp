#pragma once

#include "messages/configuration.hpp"
#include "messages/signal.hpp"

#include <string>
#include <vector>

namespace backtest {

/// Every rule the signal breaks, one sentence each; empty when it is acceptable. `immediate`: it
/// would open now, at `current_price`, rather than wait for its entry price.
std::vector<std::string> violations_of(const signal_row& signal, bool immediate,
                                       double current_price, const configuration& parameters);

/// All violations as one message.
std::string join_violations(const std::vector<std::string>& violations);

} // namespace backtest
