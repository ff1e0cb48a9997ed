#pragma once

#include "messages/time.hpp"

#include <string>
#include <vector>

namespace backtest {

/// Instants that follow each other and at which candles were missing.
struct gap_range {
  instant first = 0;
  instant last = 0;
  std::int64_t count = 0;
  instant spacing = 0; ///< milliseconds between two of them; 0: there is one

  friend bool operator==(const gap_range&, const gap_range&) = default;
};

/// Puts the instants of one run's gaps, told in order, together to ranges.
class gap_ranges {
public:
  /// `step`: milliseconds between two instants of the run's frame.
  explicit gap_ranges(instant step = minute_ms) : step_(step) {}

  /// True when it continues the last range.
  bool add(instant when);
  const std::vector<gap_range>& ranges() const noexcept { return ranges_; }

private:
  /// Instants so far apart may be neighbours: strategies generate once per interval of theirs.
  bool are_neighbours(instant apart) const noexcept;

  instant step_;
  std::vector<gap_range> ranges_;
};

/// "43 minutes", or "3 instants" where they are further apart.
std::string count_text(const gap_range& range);
/// "2024-01-03T10:00Z - 10:42Z: 43 minutes"; the last instant with its day when that is another.
std::string to_text(const gap_range& range);

} // namespace backtest
