#pragma once

#include "messages/error.hpp"
#include "messages/event.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace backtest {

/// Answered once it is durable.
struct control_run {
  std::string strategy_name;
  std::string symbol;
  operator_command command = operator_command::pause;
  std::optional<error> unreadable = {}; ///< another process sent something else
  /// Made at random by who gives it, at most 64 characters. Asked again with the same one, the node
  /// carries the command out once and answers every time; "": it is taken for another each time.
  std::string id = {};
  /// How long ago it was first asked with this id; 0: now. A node that cannot remember so far back
  /// refuses to carry it out.
  std::int64_t asked_ms_ago = 0;
  bool only_asks = false; ///< what became of it; answered at once, and nothing is carried out
};

struct run_controlled {
  std::optional<error> problem;
  /// Answers `only_asks`: the node took the command that long ago, and it is not durable yet.
  std::optional<std::int64_t> taken_ms_ago = {};
};

} // namespace backtest
