#pragma once

#include "messages/event.hpp"
#include "runtime/gap_ranges.hpp"
#include "tools/summary.hpp"

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace backtest::tools {

/// Where candles were missing, for the person at the terminal: hears the error events of runs. One
/// thread at a time.
class gap_notes {
public:
  /// `step`: milliseconds between two instants of the frame.
  explicit gap_notes(instant step) : step_(step) {}

  void hear(const event& item);
  /// A line per run that began before its symbol had candles, and one per run with gaps: their
  /// ranges, of many the first ones.
  std::vector<std::string> lines(const portfolio_outcome& outcome) const;

private:
  instant step_;
  std::map<std::pair<std::string, std::string>, gap_ranges> gaps_; ///< by strategy, symbol
};

} // namespace backtest::tools
