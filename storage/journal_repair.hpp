#pragma once

#include "messages/time.hpp"
#include "storage/journal.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace backtest {

/// Numbers from `first` to `last`, both included.
struct number_range {
  std::int64_t first = 0;
  std::int64_t last = 0;

  friend bool operator==(const number_range&, const number_range&) = default;
};

/// "3, 7 to 12", for people.
std::string to_text(const std::vector<number_range>& ranges);

/// Gives every number from `first` to `last` that the journal of `target` lacks a line of its own,
/// an error event with code `store_lost` that says it was lost; then adds one line on the repair.
/// So the journal has no hole and no number is used twice. `now`: the time of these lines. Answers
/// with the numbers that were lost. `first` 0: the first one there is. Throws as `store::commit`
/// and `find_journal_bounds`.
std::vector<number_range> repair_journal(store& target, std::int64_t first, std::int64_t last,
                                         instant now);

} // namespace backtest
