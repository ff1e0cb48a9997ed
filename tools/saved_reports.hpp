#pragma once

#include "runtime/event_file.hpp"
#include "runtime/report_book.hpp"
#include "runtime/walker_report.hpp"

#include <filesystem>
#include <set>
#include <string>
#include <tuple>
#include <vector>

namespace backtest::tools {

/// The markdown reports of a run that is over, made from its events.
class saved_reports {
public:
  saved_reports(const recorded_run& run, const configuration& parameters,
                std::vector<event> events);

  /// The comparisons of a walk, then the backtest (or live) reports of all runs.
  std::string pages() const;
  /// Every report there are events for: `directory/backtest/BTCUSDT_cross.md`, ... Throws
  /// `failure{io_failed}`.
  void write(const std::filesystem::path& directory) const;

private:
  void start(const shared_identity& run);
  void note(const event& item);

  configuration parameters_;
  std::optional<run_bounds> bounds_;
  std::vector<walker_report> walks_;
  report_book book_;
  std::vector<shared_identity> runs_; ///< by strategy, then symbol
  /// Which reports have something to say: kind, strategy, symbol.
  std::set<std::tuple<report_kind, std::string, std::string>> told_;
};

} // namespace backtest::tools
