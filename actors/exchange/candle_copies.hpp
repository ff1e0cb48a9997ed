#pragma once

#include "messages/candle.hpp"

#include <cstddef>
#include <span>
#include <vector>

namespace backtest {

/// Copies of candles for a signal source, which must find nothing behind the newest one it may
/// know: a view of the series itself would end where the true next candle begins. Behind each copy
/// stands a candle whose every figure is not a number, behind the last one at least `guard` of
/// them. One thread at a time.
class candle_copies {
public:
  static constexpr std::size_t guard = 1024;

  candle_copies() = default;
  candle_copies(const candle_copies&) = delete;
  candle_copies& operator=(const candle_copies&) = delete;
  ~candle_copies() { clear(); }

  /// Valid until `clear`.
  std::span<const candle> add(std::span<const candle> known);
  /// Overwrites every copy, as the memory serves other runs of the same thread afterwards, which
  /// may be at an earlier instant.
  void clear() noexcept {
    if (!pages_.empty())
      give_back();
  }

private:
  struct page {
    std::vector<candle> candles;
    std::size_t used = 0;
  };

  void give_back() noexcept;

  std::vector<page> pages_; ///< copies go into the last one
};

/// A copy that may be given away. Behind its last candle, in memory that is its own, stand
/// `candle_copies::guard` candles whose every figure is not a number.
std::vector<candle> guarded_copy(std::span<const candle> known);

} // namespace backtest
