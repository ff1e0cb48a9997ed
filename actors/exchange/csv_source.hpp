#pragma once

#include "actors/exchange/exchange_schema.hpp"

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace backtest {

/// One CSV file per symbol (layout: candle_csv.hpp), read when its symbol is asked for.
class csv_source final : public candle_store_source {
public:
  explicit csv_source(std::map<std::string, std::filesystem::path> files)
      : files_(std::move(files)) {}

  const std::map<std::string, std::filesystem::path>& files() const noexcept { return files_; }
  /// In ascending order.
  std::vector<std::string> symbols() const override;
  bool loads_everything() const noexcept override { return true; }
  /// The whole file, whatever the range. Throws `failure`: `not_found` for a symbol without a file,
  /// and what `read_candle_csv` throws.
  candle_series load(const std::string& symbol, instant since, instant until,
                     const configuration& limits) override;

private:
  std::map<std::string, std::filesystem::path> files_;
};

} // namespace backtest
