#pragma once

#include "actors/strategy/strategy_core.hpp"
#include "runtime/schemas.hpp"

#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace backtest::testing {

struct plain_run {
  shared_identity identity;
  run_counters counters;
  std::int64_t gaps = 0;
  absent_candles absent;
  shared_signal unfinished; ///< still alive at the end; null when there is none
  instant ended_at = 0;
  std::optional<error> problem; ///< why the run failed
  bool cut_short = false;       ///< a stop ended it early
};

struct plain_result {
  std::vector<event> events; ///< instant, strategy, symbol, emission
  std::vector<plain_run> runs;
};

struct plain_options {
  interest wanted = interest::everything();
  instant range = 10'080 * minute_ms; ///< how far a run goes at a time
  std::size_t max_events = SIZE_MAX;  ///< how much it tells at a time
  std::stop_token stop;
};

/// The whole portfolio on one thread, without actors: what every other driver must agree with.
/// Every strategy of `schemas` on every symbol of `exchange` over `frame`.
plain_result run_plain_portfolio(const schema_set& schemas, const configuration& parameters,
                                 const exchange_schema& exchange, const frame_schema& frame,
                                 const std::vector<std::string>& symbols,
                                 const plain_options& options = {});

} // namespace backtest::testing
