#include "storage/candle_import.hpp"

#include "messages/error.hpp"

#include <fmt/format.h>

namespace backtest {

namespace {

/// How many candles from the first one on follow each other without a gap.
std::size_t stretch_length(std::span<const candle> candles, instant length) {
  std::size_t count = 1;
  while (count < candles.size() &&
         candles[count].open_time == candles[count - 1].open_time + length)
    ++count;
  return count;
}

} // namespace

void import_candles(store& target, const cached_series& series, std::span<const candle> candles,
                    instant now) {
  const instant length = length_of(series.size);
  if (!candles.empty() && candles.back().open_time + length > now)
    throw failure(
        error_code::bad_candles,
        fmt::format("candles of {}: the one of {} is not closed yet at {}; expected closed "
                    "candles only",
                    series.symbol, to_iso(candles.back().open_time), to_iso(now)));
  store_batch batch;
  while (!candles.empty()) {
    const auto stretch = candles.first(stretch_length(candles, length));
    // Damaged blocks are replaced.
    write_cached_candles(batch, target, series,
                         {stretch.front().open_time, stretch.back().open_time + length}, stretch);
    candles = candles.subspan(stretch.size());
    commit_if_large(target, batch);
  }
  target.commit(batch);
}

} // namespace backtest
