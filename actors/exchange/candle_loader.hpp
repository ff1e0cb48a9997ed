#pragma once

#include "actors/exchange/exchange_schema.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <utility>

namespace backtest {

/// Waits; false: somebody wants to end, give up.
using wait_function = std::function<bool(std::chrono::milliseconds)>;

/// Fetches, checks, retries and keeps the candles of one exchange. Blocks as long as its source
/// does; one thread at a time.
class candle_loader {
public:
  /// `on_candle_data` must not throw: the runtime tells what a user's own does.
  candle_loader(exchange_schema schema, configuration parameters, wait_function wait);

  /// Candles of at least [from, until); larger intervals than the source's own are aggregated from
  /// one-minute candles. Throws `failure`: `not_found` for a symbol the exchange does not have,
  /// `bad_candles` and `fetch_failed` (after the last attempt), `io_failed` for files.
  loaded_series load(const std::string& symbol, interval size, instant from, instant until);

  const exchange_schema& schema() const noexcept { return schema_; }

private:
  using key = std::pair<std::string, interval>;

  /// What was made from one-minute candles, and from which.
  struct aggregated_series {
    shared_series minutes;
    shared_series larger;
  };

  loaded_series fetched(const std::string& symbol, interval size, instant from, instant until);
  /// Up to where nothing can come any more; what is missing behind is asked for again.
  instant settled_until(const candle_series& series, instant from, instant until) const;
  void fetch_days(const std::string& symbol, interval size, instant from, instant until,
                  std::vector<candle>& out);
  void tell(const std::string& symbol, interval size, instant since, std::span<const candle> data);
  std::vector<candle> fetch_batch(const candle_query& query);
  std::vector<candle> attempt(const candle_query& query);
  bool is_native(interval size) const;

  exchange_schema schema_;
  configuration parameters_;
  wait_function wait_;
  std::map<key, loaded_series> fetched_; ///< as the source gave it, each up to where it is settled
  std::map<key, aggregated_series> aggregated_;
};

} // namespace backtest
