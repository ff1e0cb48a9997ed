#pragma once

#include "actors/strategy/strategy_core.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace backtest {

/// Names as programs of the predecessor know them.
enum class run_state : std::uint8_t { ready, pending, fulfilled, rejected };

std::string_view to_string(run_state state) noexcept;

/// One strategy on one symbol, as `list` and `status` show it.
struct run_status {
  std::uint64_t id = 0; ///< of the portfolio it belongs to; 0: never ran
  run_identity identity;
  run_state state = run_state::ready;
  instant started_at = 0; ///< wall clock
  std::optional<instant> finished_at;
  std::optional<error> problem;

  bool is_running() const noexcept { return state == run_state::pending; }
};

/// What one strategy on one symbol came to.
struct run_summary {
  shared_identity identity;
  run_outcome outcome = run_outcome::completed;
  std::optional<error> problem; ///< when failed
  std::int64_t instants = 0;    ///< generation instants of the frame
  std::int64_t gaps = 0;        ///< one-minute candles missing while it ran, but for:
  absent_candles absent;        ///< those before the symbol's first one
  run_counters counters;
  std::int64_t errors = 0; ///< events on topic `error` with its names; live: over all starts
  minute_counts minutes;   ///< once it is over
};

} // namespace backtest
