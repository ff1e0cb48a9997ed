#pragma once

#include "messages/candle.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace backtest {

/// Instants in [from, until), milliseconds.
struct time_range {
  instant from = 0;
  instant until = 0;

  friend bool operator==(const time_range&, const time_range&) = default;
};

/// Intervals per block: a day of one-minute candles.
inline constexpr int candles_per_block = 1440;

/// Candles whose open time is in [start, start + length), and what of that was asked and answered:
/// a candle that is absent inside a covered range is known not to exist. All candles are covered.
struct candle_block {
  std::vector<time_range> covered; ///< ascending, apart from each other
  std::vector<candle> candles;     ///< ascending

  friend bool operator==(const candle_block&, const candle_block&) = default;
};

constexpr instant block_length(interval size) noexcept {
  return candles_per_block * length_of(size);
}
constexpr instant block_start(instant when, interval size) noexcept {
  return align_down(when, block_length(size));
}

/// A version, a checksum, the ranges, then the candles at fixed width; little-endian, the same
/// bytes on every machine.
std::string pack_block(const candle_block& block);

/// Absent when the bytes are not a sound block of `size` that starts at `start`.
std::optional<candle_block> unpack_block(std::string_view bytes, interval size, instant start);

/// Adds an answer: covers `answered`, whose candles become those of `candles` (all inside it).
void merge_into_block(candle_block& block, time_range answered, std::vector<candle> candles);

} // namespace backtest
