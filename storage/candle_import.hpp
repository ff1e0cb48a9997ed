#pragma once

#include "storage/candle_cache.hpp"

namespace backtest {

/// Commits candles of a source that is not there to be asked, a file say: what is missing between
/// them stays unknown. Ascending open times, multiples of the interval. Throws
/// `failure(bad_candles)` for a candle that is not closed at `now`, `failure(store_failed)`.
void import_candles(store& target, const cached_series& series, std::span<const candle> candles,
                    instant now);

} // namespace backtest
