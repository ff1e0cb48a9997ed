#pragma once

#include "messages/candle.hpp"

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace backtest {

/// Open times that lie as far apart as those of larger candles: taken for small ones, each would
/// show prices that came minutes after its close.
struct coarse_spacing {
  std::size_t index = 0; ///< the first candle that lies so far behind the one before it
  instant spacing = 0;   ///< the usual one, in milliseconds

  friend bool operator==(const coarse_spacing&, const coarse_spacing&) = default;
};

/// Of all candles that a file has, which say nothing of their length: the usual spacing, which is
/// the most frequent one (of equally frequent ones the smallest), where it is not `size`. Candles
/// of `size` with most of them missing lie apart irregularly, so they are told from larger ones by
/// this: no spacing is that of more than half, and the spacings have no common divisor (of few
/// candles: not the usual one). Of two candles the one spacing counts when their open times are
/// multiples of it, or it is a day or more. `candles` ascend strictly and are aligned to `size`.
std::optional<coarse_spacing> find_coarse_file(std::span<const candle> candles, interval size);

/// The same of a batch, one of many from a source that may have few candles in it: only with a
/// dozen candles or more, whose spacings are all multiples of the usual one, and mostly that.
std::optional<coarse_spacing> find_coarse_batch(std::span<const candle> candles, interval size);

/// What is wrong with the candle at `found.index`: how far it lies behind the one before, the usual
/// spacing of the `whole` ("file", "day"), and what was expected.
std::string describe(const coarse_spacing& found, interval size, std::string_view whole);

/// "5m", "4h", "7d"; lengths that are not whole minutes as "14838 ms".
std::string length_text(instant length);

} // namespace backtest
