#pragma once

#include "messages/idle_stretch.hpp"
#include "runtime/backtest_report.hpp"
#include "runtime/heat_report.hpp"
#include "runtime/live_report.hpp"
#include "runtime/partial_report.hpp"
#include "runtime/performance_report.hpp"
#include "runtime/report_kind.hpp"
#include "runtime/risk_report.hpp"
#include "runtime/schedule_report.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

namespace backtest {

/// Every built-in report of one runtime, except those of walkers. Lives in the report actor.
class report_book {
public:
  /// Only these reports are kept; `subscriptions_for` says which events they need.
  explicit report_book(report_set enabled = {report_kind::backtest, report_kind::live})
      : enabled_(enabled) {}

  /// Counts for runs that start from now on.
  void enable(report_set kinds) noexcept { enabled_ = kinds; }
  report_set enabled() const noexcept { return enabled_; }

  /// A run starts: its reports begin anew with these parameters, and its symbol in the heat report
  /// of its strategy. Other runs and modes keep theirs.
  void start(const shared_identity& run, const configuration& parameters);
  /// These runs, which have just started, are one portfolio: their trades are also kept together,
  /// in the order in which they close.
  void combine(const std::vector<shared_identity>& runs, const configuration& parameters);
  void set_bounds(const run_identity& run, const run_bounds& bounds);
  /// Events of runs that never started are ignored.
  void apply(event&& item);
  void apply(const event& item) { apply(event{item}); }
  /// The same of the tick it stands for.
  void apply(const idle_stretch& stretch);
  void clear(const run_identity& run, report_set kinds = report_set::all());
  /// Of every run.
  void clear(report_set kinds);
  /// One strategy's heat report, all symbols.
  void clear_heat(const std::string& strategy_name, run_mode mode);
  void clear();

  /// Null when nothing of that name ever ran, or that report was not enabled then.
  const backtest_report* find_backtest(const std::string& symbol,
                                       const std::string& strategy_name) const;
  const live_report* find_live(const std::string& symbol, const std::string& strategy_name) const;
  const schedule_report* find_schedule(const std::string& symbol, const std::string& strategy_name,
                                       run_mode mode) const;
  const performance_report* find_performance(const std::string& symbol,
                                             const std::string& strategy_name, run_mode mode) const;
  const partial_report* find_partial(const std::string& symbol, const std::string& strategy_name,
                                     run_mode mode) const;
  const risk_report* find_risk(const std::string& symbol, const std::string& strategy_name,
                               run_mode mode) const;
  const heat_report* find_heat(const std::string& strategy_name, run_mode mode) const;

  /// The trades of a run in the report of its mode; null as above.
  const trade_ledger* find_ledger(const std::string& symbol, const std::string& strategy_name,
                                  run_mode mode) const;

  /// Statistics over the pooled trades of several runs; best known when they were combined.
  trade_statistics portfolio_statistics(const std::vector<shared_identity>& runs,
                                        const configuration& parameters) const;

private:
  using key = std::tuple<std::string, std::string, run_mode>;
  static key key_of(const run_identity& run) { return {run.symbol, run.strategy_name, run.mode}; }

  /// The reports of one run, as far as they are enabled.
  struct run_reports {
    std::optional<backtest_report> backtest;
    std::optional<live_report> live;
    std::optional<schedule_report> schedule;
    std::optional<performance_report> performance;
    std::optional<partial_report> partial;
    std::optional<risk_report> risk;
    heat_report* heat = nullptr; ///< shared by the symbols of a strategy
    std::shared_ptr<trade_sample>
        together; ///< shared by the runs of a portfolio; null: it is alone
  };

  run_reports* find(const run_identity& run);
  const trade_sample* find_together(const std::vector<shared_identity>& runs) const;
  static void clear(run_reports& reports, report_set kinds);
  run_reports* reports_of(const shared_identity& run);
  void forget_known();
  heat_report* start_heat(const run_identity& run, const configuration& parameters);
  void apply_tick(run_reports& reports, tick_result&& tick);
  template <class Report>
  const Report* find(const key& run, std::optional<Report> run_reports::*report) const;

  report_set enabled_;
  std::map<key, run_reports> runs_;
  std::map<std::pair<std::string, run_mode>, heat_report> heats_;
  shared_identity latest_run_; ///< that told something last
  run_reports* latest_ = nullptr;
  /// Of runs that told something since one started last: thousands tell something every minute.
  std::unordered_map<shared_identity, run_reports*> known_;
  std::uint64_t trades_ = 0; ///< orders trades across runs
};

} // namespace backtest
