#pragma once

#include "runtime/event_file.hpp"
#include "runtime/report_book.hpp"
#include "runtime/walker_report.hpp"

#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace backtest::tools {

/// The markdown reports of a run that is over, made from its events.
class saved_reports {
public:
  /// `candles` by symbol tell what was gained by holding it; they may be missing.
  saved_reports(const recorded_run& run, const configuration& parameters, std::vector<event> events,
                const std::map<std::string, shared_series>& candles = {});

  /// The figures of a backtest, as the run itself told them. Null: there are none.
  const trade_ledger* find_ledger(const std::string& symbol, const std::string& strategy) const;
  trade_statistics portfolio_statistics() const;

  /// The comparisons of a walk, then the backtest (or live) reports of all runs.
  std::string pages() const;
  /// Every report there are events for: `directory/backtest/BTCUSDT_cross.md`, ... Throws
  /// `failure{io_failed}`.
  void write(const std::filesystem::path& directory) const;

private:
  using run_names = std::pair<std::string, std::string>; ///< symbol, strategy

  void start(const shared_identity& run);
  run_bounds bounds_of_run(const run_identity& run) const;
  void note(const event& item);

  configuration parameters_;
  std::optional<run_bounds> bounds_;
  std::map<run_names, instant> data_ends_; ///< of the runs whose candles ended before their frame
  std::set<run_names> failed_;             ///< nobody knows how far these came
  std::map<std::string, shared_series> candles_;
  std::vector<walker_report> walks_;
  report_book book_;
  std::vector<shared_identity> runs_; ///< by strategy, then symbol
  /// Which reports have something to say: kind, strategy, symbol.
  std::set<std::tuple<report_kind, std::string, std::string>> told_;
};

} // namespace backtest::tools
