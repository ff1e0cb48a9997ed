#pragma once

#include "runtime/html_report.hpp"
#include "runtime/html_report_series.hpp"

#include <string>
#include <vector>

namespace backtest::html {

/// A row of the table of statistics: a symbol with all its strategies, one of them, or everything.
struct statistics_row {
  std::string symbol;
  std::string strategy; ///< "" for all of them
  trade_statistics statistics;
};

/// The figures a reader looks at first.
std::string key_figures(const trade_statistics& portfolio);

/// Statistics by symbol and strategy, shaded from worst to best within a column.
std::string heat_table(const std::vector<statistics_row>& rows, const trade_statistics& portfolio);

/// The strategies of a walker on one symbol, best first, with what they are compared by.
std::string ranking_table(const walker_report_data& walk);

/// Years by months; empty when nothing closed.
std::string month_table(const std::vector<month_return>& months);

/// What became of the signals of each run.
std::string signal_table(const html_report& report);

/// Refusals by reason, then the newest ones.
std::string rejection_tables(const html_report& report);
std::string problem_table(const html_report& report);

/// The newest trades, as many as fit, as data for the script that shows them.
struct trade_list {
  std::string json;
  std::int64_t shown = 0;
  std::int64_t total = 0;
};

trade_list trades_as_data(const html_report& report);

} // namespace backtest::html
