#include "tools/candle_access.hpp"

#include "actors/exchange/candle_loader.hpp"
#include "messages/error.hpp"

#include <thread>

#include <fmt/format.h>

namespace backtest::tools {

namespace {

bool wait(std::chrono::milliseconds length) {
  std::this_thread::sleep_for(length);
  return true;
}

} // namespace

candle_series candles_of(const exchange_schema& exchange, const std::string& symbol,
                         std::optional<instant> since, std::optional<instant> until,
                         const configuration& limits) {
  const bool is_finite = exchange.source && exchange.source->loads_everything();
  if (!is_finite && !(since && until))
    throw failure(error_code::invalid_argument,
                  fmt::format("--from and --to are required: the candles of exchange {} have no "
                              "first and last",
                              exchange.exchange_name));
  const instant first = since.value_or(0);
  const instant end = until.value_or(end_of_time);
  candle_series series;
  if (is_finite) {
    series = exchange.source->load(symbol, first, end, limits);
  } else {
    auto silent = exchange; // its callbacks are for runs
    silent.callbacks = {};
    candle_loader loader{std::move(silent), limits, &wait};
    series = *loader.load(symbol, interval::m1, first, end).series;
  }
  std::erase_if(series.candles, [first, end](const candle& item) {
    return item.open_time < first || item.open_time >= end;
  });
  return series;
}

} // namespace backtest::tools
