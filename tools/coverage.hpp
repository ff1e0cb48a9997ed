#pragma once

#include "actors/frame/timeline.hpp"
#include "actors/strategy/strategy_schema.hpp"
#include "messages/candle.hpp"

#include <string>
#include <vector>

namespace backtest::tools {

/// How far back `strategy` looks when it is asked at `first` on `symbol`: open time of the oldest
/// candle. Found by asking it once over a market that is flat; what it throws is ignored. Sources
/// that block are not asked.
instant warm_up_start(const strategy_schema& strategy, const std::string& symbol, instant first,
                      std::int64_t avg_price_candles_count, position_sizer& sizer);

/// Minutes with open times in [since, until) that a series has and has not.
struct coverage {
  std::int64_t present = 0;
  std::int64_t missing_head = 0; ///< before the first candle
  std::int64_t missing_tail = 0; ///< after the last one
  std::int64_t missing_inside = 0;

  std::int64_t expected() const noexcept {
    return present + missing_head + missing_tail + missing_inside;
  }
  bool misses_an_end() const noexcept { return missing_head > 0 || missing_tail > 0; }
};

coverage coverage_of(const candle_series& minutes, instant since, instant until);

/// "44640 of 44640 minutes", "... , missing: 60 at the start".
std::string to_text(const coverage& covered);

/// "candles from A to B", from the open of the first to the close of the last; "no candles".
std::string text_of_range(const candle_series& minutes);

} // namespace backtest::tools
