#include "actors/exchange/csv_source.hpp"

#include "actors/exchange/candle_csv.hpp"

#include "messages/error.hpp"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace backtest {

namespace {

candle_paths matching_or_itself(const std::filesystem::path& path) {
  try {
    return matching_files(path);
  } catch (const failure&) { // told again by who reads it
    return {path};
  }
}

} // namespace

csv_source::csv_source(const std::map<std::string, candle_paths>& files) {
  for (const auto& [symbol, paths] : files) {
    auto& known = files_[symbol];
    for (const auto& path : paths) {
      auto found = matching_or_itself(path);
      std::move(found.begin(), found.end(), std::back_inserter(known));
    }
  }
}

std::vector<std::string> csv_source::symbols() const {
  std::vector<std::string> names;
  names.reserve(files_.size());
  for (const auto& [symbol, paths] : files_)
    names.push_back(symbol);
  return names;
}

candle_series csv_source::load(const std::string& symbol, instant, instant,
                               const configuration& limits) {
  const auto found = files_.find(symbol);
  if (found == files_.end())
    throw failure(error_code::not_found,
                  fmt::format("CSV files: symbol {} not found; expected one of {}", symbol,
                              fmt::join(symbols(), ", ")));
  const auto& paths = found->second;
  if (std::all_of(paths.begin(), paths.end(), &is_rereadable))
    return read_candle_csv(paths, symbol, limits);
  const std::scoped_lock lock{mutex_};
  auto known = from_pipes_.find(symbol);
  if (known == from_pipes_.end())
    known = from_pipes_.emplace(symbol, read_candle_csv(paths, symbol, limits)).first;
  return known->second;
}

} // namespace backtest
