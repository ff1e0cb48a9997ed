#pragma once

#include "runtime/backtest_report.hpp"
#include "runtime/schemas.hpp"

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace backtest {

/// What strategies may be compared by; of each, more is better.
std::span<const std::string_view> walker_metrics() noexcept;

/// Throws `failure{invalid_argument}` naming the metrics there are.
void require_walker_metric(std::string_view metric);

/// The figure strategies are compared by; absent when it is not available, or not finite.
std::optional<double> metric_of(const trade_statistics& statistics, std::string_view metric);

/// How one strategy of a walker did.
struct walker_result {
  std::string strategy_name;
  trade_statistics statistics;
  std::string metric;                 ///< what it is compared by
  std::optional<double> metric_value; ///< absent when the statistics lack it
  bool partial = false;               ///< cut short by a stop, and so never the best
};

/// Complete results before partial ones, larger values first, absent ones last; results of equal
/// rank keep their order.
std::vector<walker_result> ranked(std::vector<walker_result> results);

struct walker_report_data {
  std::string walker_name;
  std::string symbol;
  std::string exchange_name;
  std::string frame_name;
  std::string metric;
  std::int64_t total_strategies = 0;
  std::int64_t strategies_tested = 0; ///< complete ones
  std::int64_t strategies_failed = 0;
  bool stopped = false; ///< a strategy was cut short or never started
  std::optional<std::string> best_strategy;
  std::optional<double> best_metric;
  std::optional<trade_statistics> best_statistics;
  std::vector<walker_result> strategy_results; ///< best first
};

/// Rank, Strategy, Metric, ... Max DD; rows are given best first.
column_list<walker_result> default_walker_strategy_columns();
/// Strategy, Signal ID, ... Close Time.
column_list<tick_result> default_walker_pnl_columns();

/// Strategies shown in the comparison.
inline constexpr std::size_t walker_top_n = 10;

/// The comparison of a walker's strategies on one symbol. One owner; not thread-safe.
class walker_report {
public:
  /// Throws for a metric that is none.
  walker_report(const walker_schema& walker, std::string symbol, const configuration& config);

  /// A strategy's backtest ended; the figures are kept as they are now. `partial`: cut short.
  void add(const std::string& strategy_name, backtest_report_data result, bool partial = false);
  void add_failure(const std::string& strategy_name);
  /// The walk was asked to stop; that shows if it left anything undone.
  void stop() noexcept { is_stop_asked_ = true; }
  void clear();

  walker_report_data data() const;
  std::string markdown(const column_list<walker_result>& strategy_columns,
                       const column_list<tick_result>& pnl_columns) const;
  std::string file_name() const;
  /// Writes `directory / report_folder::walker / file_name()` and returns that path; throws
  /// `failure{io_failed}`.
  std::filesystem::path dump(const std::filesystem::path& directory,
                             const column_list<walker_result>& strategy_columns,
                             const column_list<tick_result>& pnl_columns) const;

private:
  struct entry {
    std::string strategy_name;
    bool has_failed = false;
    std::optional<walker_result> result;
    std::vector<tick_result> signals; ///< newest first
  };

  entry& entry_of(const std::string& strategy_name);
  std::vector<tick_result> signals() const;

  std::string walker_name_;
  std::string exchange_name_;
  std::string frame_name_;
  std::string metric_;
  std::string symbol_;
  std::size_t max_rows_;
  std::vector<entry> entries_; ///< in schema order
  bool is_stop_asked_ = false;
};

} // namespace backtest
