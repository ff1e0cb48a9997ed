#pragma once

#include "actors/publisher/run_control.hpp"

#include <optional>
#include <string>

namespace backtest {

/// What a question to a node brought.
struct node_answer {
  std::optional<run_controlled> answer;
  std::string why; ///< there is none
};

/// What a person is told of a command that did not come to hold, as far as it is known; nothing of
/// one that does. `timeout_seconds`: how long was waited.
std::optional<std::string> problem_of_command(const node_answer& heard, double timeout_seconds);

} // namespace backtest
