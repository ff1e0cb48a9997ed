#include "runtime/exchange_factories.hpp"

#include "actors/exchange/csv_source.hpp"
#include "actors/exchange/synthetic_candles.hpp"

namespace backtest {

const exchange_factories& default_exchange_factories() {
  static const exchange_factories factories{
      [](std::map<std::string, std::filesystem::path> files) {
        return std::make_shared<csv_source>(std::move(files));
      },
      [](std::uint64_t seed, std::vector<std::string> symbols, double start_price,
         double volatility) {
        return std::make_shared<synthetic_source>(seed, std::move(symbols), start_price,
                                                  volatility);
      },
      {}};
  return factories;
}

} // namespace backtest
