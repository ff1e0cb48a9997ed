#pragma once

#include "actors/exchange/candle_files.hpp"
#include "actors/exchange/exchange_schema.hpp"

#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace backtest {

/// CSV files per symbol (layout: candle_csv.hpp), read when their symbol is asked for.
class csv_source final : public candle_store_source {
public:
  /// Which files match a pattern is found out now, so that it does not change with what is written
  /// beside them; that none does shows when the symbol is asked for.
  explicit csv_source(const std::map<std::string, candle_paths>& files);

  /// By symbol; a pattern that no file matched stays as it is.
  const std::map<std::string, candle_paths>& files() const noexcept { return files_; }
  /// In ascending order.
  std::vector<std::string> symbols() const override;
  bool loads_everything() const noexcept override { return true; }
  /// Everything, whatever the range; from any thread. What comes through a pipe is read once and
  /// remembered. Throws `failure`: `not_found` for a symbol without a file, and what
  /// `read_candle_csv` throws.
  candle_series load(const std::string& symbol, instant since, instant until,
                     const configuration& limits) override;

private:
  std::map<std::string, candle_paths> files_;
  std::mutex mutex_;
  std::map<std::string, candle_series> from_pipes_; ///< by symbol
};

} // namespace backtest
