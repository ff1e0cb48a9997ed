#pragma once

#include "messages/event.hpp"
#include "runtime/report_rows.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace backtest {

/// Durations of one kind of work, and the time from one event of the kind to the next; all in
/// milliseconds.
struct metric_statistics {
  metric_type metric = metric_type::backtest_total;
  std::int64_t count = 0;
  double total_duration = 0;
  double avg_duration = 0;
  double min_duration = 0;
  double max_duration = 0;
  double std_dev = 0; ///< of the sample (n - 1); 0 for a single event
  double median = 0;
  double p95 = 0;
  double p99 = 0;
  std::optional<double> avg_wait_time; ///< absent when no event follows another
  std::optional<double> min_wait_time;
  std::optional<double> max_wait_time;
};

/// By total duration descending, then name.
std::vector<metric_statistics> metric_statistics_of(const std::vector<performance_event>& events);

/// Milliseconds spent in the outermost work there is: whole runs and live ticks, else instants.
/// What is nested in them is not counted again.
double root_duration(const std::vector<metric_statistics>& metrics);

struct performance_report_data {
  std::string strategy_name;
  std::int64_t total_events = 0; ///< since the start
  double total_duration = 0;     ///< of the events held
  std::vector<metric_statistics> metric_stats;
  std::vector<performance_event> events; ///< newest first, at most max_performance_events
};

/// Metric Type, Count, Total (ms), ... Max Wait (ms).
column_list<metric_statistics> default_performance_columns();

/// Where the time of one symbol and strategy went in one mode. One owner; not thread-safe.
class performance_report {
public:
  /// `run` must not be null; a name it lacks reads "global".
  performance_report(const shared_identity& run, const configuration& config);

  /// Durations that are not finite are ignored.
  void apply(performance_event measured);
  void clear() noexcept { rows_.clear(); }

  const run_identity& run() const noexcept { return rows_.run(); }

  performance_report_data data() const;
  std::string markdown(const column_list<metric_statistics>& columns) const;
  std::string file_name() const;
  /// Writes `directory / report_folder::performance / file_name()` and returns that path; throws
  /// `failure{io_failed}`.
  std::filesystem::path dump(const std::filesystem::path& directory,
                             const column_list<metric_statistics>& columns) const;

private:
  report_rows<performance_event> rows_;
};

} // namespace backtest
