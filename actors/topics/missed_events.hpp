#pragma once

#include "actors/topics/subscription_filter.hpp"
#include "storage/store.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace backtest {

/// What the journal has for a subscriber that missed some numbers.
struct missed_events {
  std::vector<event> events; ///< those it wants
  std::int64_t last = 0;     ///< it is done with the numbers up to here
  std::string lost;          ///< why some of them are lost for it; "" when none is
};

/// Looks at `most` entries of those from `first` to `last`, or at some less: numbers that are no
/// longer kept, or one whose entry is no event line, are lost by themselves.
/// Throws `failure(store_failed)` when the journal cannot be read.
missed_events read_missed_events(const store_reader& from, std::int64_t first, std::int64_t last,
                                 std::size_t most, const subscription_filter& wanted);

} // namespace backtest
