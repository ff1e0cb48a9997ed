#pragma once

#include "runtime/column.hpp"
#include "runtime/trade_ledger.hpp"

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace backtest {

struct heat_row {
  std::string symbol;
  trade_statistics statistics;
};

struct heat_report_data {
  std::vector<heat_row> symbols; ///< best first
  std::int64_t total_symbols = 0;
  trade_statistics portfolio; ///< over the pooled trades of all symbols
};

/// Symbol, Total PNL, Sharpe, ... Trades.
column_list<heat_row> default_heat_columns();

/// One strategy across its symbols in one mode: a row per symbol that closed a trade. One owner;
/// not thread-safe.
class heat_report {
public:
  heat_report(std::string strategy_name, run_mode mode, const configuration& config);

  /// A run of that symbol starts: its trades are forgotten, those of others stay.
  void start(const std::string& symbol, const configuration& config);
  /// As `trade_ledger::apply`, for the symbol of the result.
  void apply(const tick_result& result, std::optional<std::uint64_t> seq = std::nullopt);
  void set_bounds(const std::string& symbol, const run_bounds& bounds);
  void clear(const std::string& symbol);
  void clear() noexcept;

  heat_report_data data() const;
  std::string markdown(const column_list<heat_row>& columns) const;
  std::string file_name() const;
  /// Writes `directory / report_folder::heat / file_name()` and returns that path; throws
  /// `failure{io_failed}`.
  std::filesystem::path dump(const std::filesystem::path& directory,
                             const column_list<heat_row>& columns) const;

private:
  void forget_together();

  std::string strategy_name_;
  run_mode mode_;
  configuration config_; ///< of the run that started last
  std::map<std::string, trade_ledger> symbols_;
  trade_sample together_; ///< trades of all symbols; of those that began anew the older ones, too
};

} // namespace backtest
