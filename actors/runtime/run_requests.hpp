#pragma once

#include "messages/time.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace backtest {

class live_clock;

/// What to run: every strategy on every symbol, as one portfolio.
struct backtest_request {
  std::vector<std::string> symbols;
  std::vector<std::string> strategies;
  std::string exchange;
  std::string frame;
  /// No run examines an instant before every other one is done with all instants before it: what
  /// strategies share (a static variable, say) then carries nothing from a run that is ahead. On one
  /// thread only one of them is in user code at a time. Up to five times slower. A run that is told
  /// to stop ends with the others' next instants.
  bool lockstep = false;
};

/// What a live start does about stored signals of strategies, symbols or exchanges it does not
/// include.
enum class orphan_policy : std::uint8_t {
  refuse, ///< the start fails and lists them
  watch,  ///< they are followed to their end, nothing is generated for them
  drop,   ///< they are forgotten, with an error event each
};

inline constexpr std::size_t orphan_policy_count = 3;

/// What to run live: every strategy on every symbol, as one portfolio.
struct live_request {
  std::vector<std::string> symbols;
  std::vector<std::string> strategies;
  std::string exchange;
  std::shared_ptr<live_clock> clock; ///< null: the machine's
  std::string frame;                 ///< replay clock: which instants; else ""
  std::optional<instant> until;      ///< no signal is generated after it
  orphan_policy orphans = orphan_policy::refuse;
  /// Waits before a store that refused is tried again; null: the machine's clock.
  std::shared_ptr<live_clock> retry_clock;
  /// As `backtest_request::lockstep`, for a replay; minutes of the market come one by one anyway.
  bool lockstep = false;
};

} // namespace backtest
