#pragma once

#include "storage/candle_block.hpp"
#include "storage/store.hpp"

#include <span>
#include <string>
#include <vector>

namespace backtest {

/// Closed candles of one source, kept in blocks in the store's space `candles`.
struct cached_series {
  std::string exchange;
  std::string symbol;
  interval size = interval::m1;
};

/// What the cache knows of a range.
struct cached_candles {
  std::vector<candle> candles;      ///< ascending open times
  std::vector<time_range> missing;  ///< not yet asked; elsewhere an absent candle is a known gap
  std::vector<std::string> corrupt; ///< keys of blocks that are damaged, taken as absent
};

/// Candles with an open time in [range.from, range.until). Bounds are rounded up to the interval:
/// that leaves the same open times. Throws `failure(invalid_argument)` for an instant before 1970,
/// `failure(store_failed)`.
cached_candles read_cached_candles(const store_reader& from, const cached_series& series,
                                   time_range range);

/// The parts of the range that must still be asked for.
std::vector<time_range> missing_candles(const store_reader& from, const cached_series& series,
                                        time_range range);

/// Adds to `batch`: the source was asked for [range.from, range.until), all of it closed, and
/// answered `candles`. They replace what was there; blocks are merged with those in `from` and with
/// those that `batch` already writes. Returns the keys of damaged blocks, which are replaced.
/// Throws `failure(invalid_argument)` for candles that are not ascending, aligned, in the range.
std::vector<std::string> write_cached_candles(store_batch& batch, const store_reader& from,
                                              const cached_series& series, time_range range,
                                              std::span<const candle> candles);

} // namespace backtest
