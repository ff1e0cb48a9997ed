#pragma once

#include "actors/exchange/candle_files.hpp"
#include "actors/exchange/exchange_schema.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace backtest {

/// How a configuration file's exchange types become candle sources. They open nothing yet: a file
/// that is missing shows when a run asks for its candles.
struct exchange_factories {
  /// Files by symbol, perhaps patterns.
  std::function<std::shared_ptr<candle_store_source>(std::map<std::string, candle_paths>)> csv;
  /// Volatility is a fraction per year.
  std::function<std::shared_ptr<candle_store_source>(
      std::uint64_t seed, std::vector<std::string> symbols, double start_price, double volatility)>
      synthetic;
  /// Base URL of the REST interface. Left empty (a library built without network), a run on such
  /// an exchange fails and says why. What it makes is called by several threads at once.
  std::function<candle_function(const std::string& base_url)> binance;
  /// The time, for exchanges whose market goes on.
  std::function<instant()> now{};
};

/// The sources that come with the library.
const exchange_factories& default_exchange_factories();

} // namespace backtest
