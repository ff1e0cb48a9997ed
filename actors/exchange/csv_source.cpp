#include "actors/exchange/csv_source.hpp"

#include "actors/exchange/candle_csv.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace backtest {

std::vector<std::string> csv_source::symbols() const {
  std::vector<std::string> names;
  names.reserve(files_.size());
  for (const auto& [symbol, path] : files_)
    names.push_back(symbol);
  return names;
}

candle_series csv_source::load(const std::string& symbol, instant, instant,
                               const configuration& limits) {
  const auto file = files_.find(symbol);
  if (file == files_.end())
    throw failure(error_code::not_found,
                  fmt::format("CSV files: symbol {} not found; expected one of {}", symbol,
                              fmt::join(symbols(), ", ")));
  return read_candle_csv(file->second, symbol, limits);
}

} // namespace backtest
