#pragma once

#include "messages/signal.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace backtest {

/// A position some run holds under a risk profile.
struct active_position {
  std::string strategy_name;
  std::string exchange_name;
  std::string symbol;
  position_side position = position_side::long_side;
  double price_open = 0;
  instant opened_at = 0;

  friend bool operator==(const active_position&, const active_position&) = default;
};

/// What a rule judges. Valid during the call only.
struct risk_question {
  const run_identity& run;
  const signal_request& pending_signal;
  double current_price = 0;
  instant timestamp = 0;
  const std::vector<active_position>& active_positions;
};

/// Nothing: allowed. A text: rejected, the text is the reason. A throw rejects too and is
/// announced on the topic `validation`.
using risk_function = std::function<std::optional<std::string>(const risk_question&)>;

struct risk_validation {
  risk_function validate;
  std::string note; ///< becomes the comment of a rejection when not empty
};

struct risk_schema {
  std::string risk_name;
  std::string note;
  std::vector<risk_validation> validations; ///< asked in order, the first rejection wins
  /// Called one at a time, in the order in which risk decided; live: once the decision is durable.
  /// What they throw becomes an error event.
  struct {
    std::function<void(const risk_question&)> on_allowed;
    std::function<void(const risk_question&)> on_rejected;
  } callbacks;
};

} // namespace backtest
