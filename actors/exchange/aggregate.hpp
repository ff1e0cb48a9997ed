#pragma once

#include "messages/candle.hpp"

namespace backtest {

/// Candles of `size` (1m to 1d) out of one-minute candles: open of the first, highest high, lowest
/// low, close of the last, volumes summed left to right; buckets aligned to UTC. A bucket exists if
/// at least one of its minutes does; one without any is absent. The last bucket is made of the
/// minutes there are, even if later ones may still come: whoever reads it must ask only once its
/// close time has passed (`series_cursor` does) and aggregate again when minutes were added.
/// Throws `failure{invalid_argument}` for another source interval than 1m, or a `size` above 1d.
candle_series aggregate(const candle_series& minutes, interval size);

} // namespace backtest
