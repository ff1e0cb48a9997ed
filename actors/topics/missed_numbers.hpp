#pragma once

#include <cstdint>
#include <map>

namespace backtest {

/// Journal numbers that a subscriber was not given. Stretches that touch are one, so it stays small
/// however much is missed.
class missed_numbers {
public:
  /// From `first` to `last`, both included; none of them is in here yet.
  void add(std::int64_t first, std::int64_t last);
  /// Every number up to `number` was given, or is lost.
  void remove_up_to(std::int64_t number);

  bool empty() const noexcept { return stretches_.empty(); }
  // Of the lowest stretch; there must be one.
  std::int64_t first() const { return stretches_.begin()->first; }
  std::int64_t last_of_first() const { return stretches_.begin()->second; }
  /// The greatest number in here.
  std::int64_t last() const { return stretches_.rbegin()->second; }

private:
  std::map<std::int64_t, std::int64_t> stretches_; ///< last by first
};

} // namespace backtest
