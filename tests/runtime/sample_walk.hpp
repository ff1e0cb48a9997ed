#pragma once

#include "runtime/html_report.hpp"
#include "tests/runtime/sample_ticks.hpp"

#include <string>
#include <utility>
#include <vector>

namespace backtest::testing {

/// The page of the walker `compare` by total_pnl on one symbol, its strategies as they are given
/// with the returns of their trades.
inline html_report
walk_report_of(const std::string& symbol,
               const std::vector<std::pair<std::string, std::vector<double>>>& strategies) {
  html_report report;
  report.gates = gates_of({});
  walker_schema walker{"compare", "", "csv", "q1", {}, "total_pnl"};
  for (const auto& [name, returns] : strategies) {
    walker.strategies.push_back(name);
    report.facts.strategies.push_back(name);
  }
  report.facts.symbols = {symbol};
  walker_report walk{walker, symbol, {}};
  for (const auto& [name, returns] : strategies) {
    const auto run = identity(symbol, name);
    report.runs[{symbol, name}];
    for (const auto& trade : trades_of(returns))
      report.apply({topic::signal_backtest, closed_trade(run, trade)});
    walk.add(name, {compute_trade_statistics(trades_of(returns), report.gates), {}});
  }
  report.walks.push_back(walk.data());
  return report;
}

} // namespace backtest::testing
