#pragma once

#include "messages/candle.hpp"
#include "messages/configuration.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace backtest {

/// What a candle source is asked for: candles with since <= open_time < until, oldest first.
/// Fewer (or none) is a legal answer: what is missing is a gap.
struct candle_query {
  std::string symbol;
  interval size = interval::m1;
  instant since = 0;
  instant until = 0;
  /// Nobody waits for the answer any more once it is stopped, as every run that did was stopped or
  /// the runtime ends: a source that blocks for long should look, and throw.
  std::stop_token stop{};
};

/// A user's candle source. May block (it runs on the exchange client's own threads, one unless
/// `concurrent_fetches` says otherwise) and may throw; a throw is retried, but for
/// `failure{not_found}` and those of fetch_failure.hpp. Called with at most one UTC day of one-minute
/// candles at a time.
using candle_function = std::function<std::vector<candle>(const candle_query&)>;

/// A source that loads whole symbols at once (files, generators). Called on the exchange client's
/// thread only; throws `failure` (`io_failed`, `bad_candles`, `not_found`).
class candle_store_source {
public:
  virtual ~candle_store_source() = default;
  virtual std::vector<std::string> symbols() const = 0;
  /// `load` ignores the range and answers everything there is, so once is enough.
  virtual bool loads_everything() const noexcept { return false; }
  /// All one-minute candles of the symbol that may matter for [since, until); more is welcome.
  virtual candle_series load(const std::string& symbol, instant since, instant until,
                             const configuration& limits) = 0;
};

/// Which price decides a fill: the average price, or the extremes of the candle that just closed.
enum class fill_model : std::uint8_t { vwap, touch };

struct exchange_callbacks {
  /// After every successful fetch that passed the checks.
  std::function<void(const std::string& symbol, interval size, instant since,
                     std::span<const candle> data)>
      on_candle_data;
};

/// One of `get_candles` and `source` must be set.
struct exchange_schema {
  std::string exchange_name;
  std::string note;
  candle_function get_candles;
  std::shared_ptr<candle_store_source> source;
  /// The time, for a `get_candles` whose market goes on: what is missing of the last hour and
  /// later is asked for again. Empty: what is missing once is a gap for good.
  std::function<instant()> now;
  /// Intervals `get_candles` answers itself; every other one is aggregated from one-minute candles.
  std::vector<interval> native_intervals{interval::m1};
  /// So many threads (1 to 256) may call `get_candles` and `on_candle_data` at the same time, each
  /// for symbols of its own.
  std::size_t concurrent_fetches = 1;
  /// Closed candles that `get_candles` answered are kept in the runtime's store, under the
  /// exchange's name, and not asked for again by whoever comes later. Give a source whose candles
  /// differ another name. Those of the last `candle_revision_minutes` of the UTC day are asked for
  /// again with the ones that follow; yesterday's once, by themselves.
  bool keeps_candles = false;
  std::function<std::string(std::string_view symbol, double price)> format_price;       ///< default: price_decimals
  std::function<std::string(std::string_view symbol, double quantity)> format_quantity; ///< default: quantity_decimals
  int price_decimals = 2;
  int quantity_decimals = 8;
  fill_model entry_fill = fill_model::vwap;
  fill_model exit_fill = fill_model::vwap;
  std::optional<double> percent_fee;      ///< overrides the configuration
  std::optional<double> percent_slippage; ///< overrides the configuration
  exchange_callbacks callbacks;
};

} // namespace backtest
