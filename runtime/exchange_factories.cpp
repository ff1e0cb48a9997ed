#include "runtime/exchange_factories.hpp"

#include "actors/exchange/csv_source.hpp"
#include "actors/exchange/synthetic_candles.hpp"
#include "runtime/wall_clock.hpp"

#if !defined(BACKTEST_WITHOUT_NETWORK)
#include "actors/exchange/binance_candles.hpp"
#include "actors/http/http_pool.hpp"
#endif

namespace backtest {

namespace {

std::shared_ptr<candle_store_source> files(const std::map<std::string, candle_paths>& paths) {
  return std::make_shared<csv_source>(paths);
}

std::shared_ptr<candle_store_source> made_up_market(std::uint64_t seed,
                                                    std::vector<std::string> symbols,
                                                    double start_price, double volatility) {
  return std::make_shared<synthetic_source>(seed, std::move(symbols), start_price, volatility);
}

#if defined(BACKTEST_WITHOUT_NETWORK)

constexpr std::nullptr_t fetch_from_binance = nullptr;

#else

candle_function fetch_from_binance(const std::string& base_url) {
  const auto pool = std::make_shared<http_pool>();
  return binance_candles(
      base_url,
      [pool](const std::string& url, const std::stop_token& stop) { return pool->get(url, stop); },
      &wall_clock);
}

#endif

} // namespace

const exchange_factories& default_exchange_factories() {
  static const exchange_factories factories{&files, &made_up_market, fetch_from_binance,
                                            &wall_clock};
  return factories;
}

} // namespace backtest
