#pragma once

#include "actors/exchange/exchange_schema.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace backtest {

/// A made-up market without end or gaps. A candle depends on (seed, symbol, minute, start_price,
/// volatility) alone, so any range equals the same part of a longer one, and comes out with the
/// same bytes on every machine (only integers and + - * / sqrt).
///
/// The price is `start_price` (1e-6 .. 1e9) at 2024-01-01T00:00:00Z and a random walk around it in
/// both directions; `volatility` (0 .. 5) is the standard deviation of a year's logarithmic return.
/// Every candle opens at the close of the one before. Prices are multiples of 0.01, or of a smaller
/// power of ten where the start price has fewer than six digits at that step.
///
/// Returns the candles with since <= open_time < until. Throws `failure{invalid_argument}` for
/// values outside these ranges, times outside 1970..2262, or more than twenty years at once.
candle_series generate_candles(std::uint64_t seed, const std::string& symbol, double start_price,
                               double volatility, instant since, instant until);

/// Such a market as a candle source. `load` answers exactly the range asked for, and `not_found`
/// for a symbol that was not listed.
class synthetic_source final : public candle_store_source {
public:
  /// Throws `failure{invalid_argument}` like generate_candles.
  synthetic_source(std::uint64_t seed, std::vector<std::string> symbols, double start_price,
                   double volatility);

  std::vector<std::string> symbols() const override { return symbols_; }
  candle_series load(const std::string& symbol, instant since, instant until,
                     const configuration& limits) override;

private:
  std::uint64_t seed_;
  std::vector<std::string> symbols_;
  double start_price_;
  double volatility_;
};

} // namespace backtest
