#pragma once

#include "actors/exchange/candle_keeper.hpp"
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
  /// With a `keeper`, which needs `schema.now`, what it holds is not fetched, and what is fetched
  /// is given to it once it is closed and complete. Null: nothing is kept.
  candle_loader(exchange_schema schema, configuration parameters, wait_function wait,
                std::shared_ptr<candle_keeper> keeper = nullptr);

  /// Candles of at least [from, until); larger intervals than the source's own are aggregated from
  /// one-minute candles. One-minute candles of a market that does not go on come with their
  /// average prices. Throws `failure`: `not_found` for a symbol the exchange does not have,
  /// `bad_candles` and `fetch_failed` (after the last attempt), `io_failed` for files.
  loaded_series load(const std::string& symbol, interval size, instant from, instant until);

  const exchange_schema& schema() const noexcept { return schema_; }

private:
  using key = std::pair<std::string, interval>;

  /// The prices of one-minute candles, and of which.
  struct priced_series {
    shared_series minutes;
    shared_prices prices;
  };

  /// What was made from one-minute candles, and from which.
  struct aggregated_series {
    shared_series minutes;
    shared_series larger;
  };

  /// The newest answers, until there is enough of them to be worth a write.
  struct fresh_candles {
    time_range known; ///< answered for good
    instant asked_until = 0;
    std::vector<candle> candles;
  };

  void hand_over(const key& of, fresh_candles& fresh, instant until);
  const shared_prices& prices_of(const std::string& symbol, const shared_series& minutes);
  loaded_series fetched(const std::string& symbol, interval size, instant from, instant until);
  /// Up to where nothing can come any more; what is missing behind is asked for again.
  instant settled_until(const candle_series& series, instant from, instant until) const;
  /// Adds the candles of the range, kept or fetched.
  void obtain(const std::string& symbol, interval size, time_range wanted,
              std::vector<candle>& out);
  void fetch_days(const std::string& symbol, interval size, time_range wanted,
                  std::vector<candle>& out);
  void keep(const std::string& symbol, interval size, time_range asked,
            std::span<const candle> batch);
  void tell(const std::string& symbol, interval size, instant since, std::span<const candle> data);
  std::vector<candle> fetch_batch(const candle_query& query);
  std::vector<candle> attempt(const candle_query& query);
  bool is_native(interval size) const;

  exchange_schema schema_;
  configuration parameters_;
  wait_function wait_;
  std::map<key, loaded_series> fetched_; ///< as the source gave it, each up to where it is settled
  std::map<key, aggregated_series> aggregated_;
  std::map<std::string, priced_series> priced_; ///< by symbol
  std::shared_ptr<candle_keeper> keeper_;
  std::map<key, fresh_candles> fresh_; ///< with a keeper
};

} // namespace backtest
