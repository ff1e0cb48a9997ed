#pragma once

#include "runtime/backtest_report.hpp"

#include <map>
#include <string>
#include <tuple>
#include <vector>

namespace backtest {

/// Every built-in report of one runtime. Lives in the report actor.
class report_book {
public:
  /// A run starts: its reports begin anew with these parameters.
  void start(const shared_identity& run, const configuration& parameters);
  void set_bounds(const run_identity& run, const run_bounds& bounds);
  void apply(event item);
  void clear(const run_identity& run);
  void clear();

  /// Null when nothing of that name ever ran.
  const backtest_report* find_backtest(const std::string& symbol, const std::string& strategy_name,
                                       run_mode mode = run_mode::backtest) const;

  /// Statistics over the pooled trades of several runs.
  trade_statistics portfolio_statistics(const std::vector<shared_identity>& runs,
                                        const configuration& parameters) const;

private:
  using key = std::tuple<std::string, std::string, run_mode>;
  static key key_of(const run_identity& run) { return {run.symbol, run.strategy_name, run.mode}; }

  std::map<key, backtest_report> backtests_;
  const run_identity* latest_identity_ = nullptr; ///< of the run that told something last
  backtest_report* latest_ = nullptr;
  std::uint64_t trades_ = 0; ///< orders trades across runs
};

} // namespace backtest
