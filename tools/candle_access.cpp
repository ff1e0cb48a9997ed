#include "tools/candle_access.hpp"

#include "actors/exchange/candle_loader.hpp"
#include "messages/error.hpp"
#include "runtime/wall_clock.hpp"
#include "storage/rocksdb_candle_archive.hpp"
#include "tools/command_line.hpp"

#include <thread>

#include <fmt/format.h>

namespace backtest::tools {

namespace {

bool wait(std::chrono::milliseconds length) {
  std::this_thread::sleep_for(length);
  return true;
}

/// Null when the exchange keeps no candles, or there is nowhere to keep them.
std::shared_ptr<candle_keeper> keeper_of(exchange_schema& exchange,
                                         const std::filesystem::path& data_directory,
                                         std::int64_t reserve_bytes) {
  if (!exchange.keeps_candles || data_directory.empty())
    return nullptr;
  if (!exchange.now)
    exchange.now = wall_clock;
  return std::make_shared<candle_keeper>(
      exchange.exchange_name,
      make_rocksdb_candle_archive(data_directory, [reserve_bytes] { return reserve_bytes; }),
      [](const error& problem) { print_problem(problem.message); });
}

bool is_finite(const exchange_schema& exchange) {
  return exchange.source && exchange.source->loads_everything();
}

} // namespace

void require_bounds(const exchange_schema& exchange, std::optional<instant> since,
                    std::optional<instant> until) {
  if (!is_finite(exchange) && !(since && until))
    throw failure(error_code::invalid_argument,
                  fmt::format("--from and --to are required: the candles of exchange {} have no "
                              "first and last",
                              exchange.exchange_name));
}

candle_series candles_of(const exchange_schema& exchange, const std::string& symbol,
                         std::optional<instant> since, std::optional<instant> until,
                         const configuration& limits, const std::filesystem::path& data_directory) {
  require_bounds(exchange, since, until);
  const instant first = since.value_or(0);
  const instant end = until.value_or(end_of_time);
  candle_series series;
  if (is_finite(exchange)) {
    series = exchange.source->load(symbol, first, end, limits);
  } else {
    auto silent = exchange; // its callbacks are for runs
    silent.callbacks = {};
    const auto keeper = keeper_of(silent, data_directory, limits.store_reserve_bytes);
    candle_loader loader{std::move(silent), limits, &wait, keeper};
    series = *loader.load(symbol, interval::m1, first, end).series;
    if (keeper)
      keeper->store();
  }
  std::erase_if(series.candles, [first, end](const candle& item) {
    return item.open_time < first || item.open_time >= end;
  });
  return series;
}

} // namespace backtest::tools
