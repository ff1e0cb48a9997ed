#pragma once

#include "runtime/report_rows.hpp"

#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace backtest {

/// Counts since the start of the run, whatever the table still holds. The rates rest on signals
/// whose scheduling was seen here and which came to an end, so they add up to 100.
struct schedule_statistics {
  std::int64_t total_events = 0;
  std::int64_t total_scheduled = 0;
  std::int64_t total_opened = 0;
  std::int64_t total_cancelled = 0;
  std::optional<double> activation_rate;     ///< percent
  std::optional<double> cancellation_rate;   ///< percent
  std::optional<double> avg_activation_time; ///< minutes from scheduling to opening
  std::optional<double> avg_wait_time;       ///< minutes from scheduling to cancellation
};

struct schedule_report_data {
  schedule_statistics statistics;
  std::vector<tick_result> event_list; ///< newest first, at most max_report_rows
};

/// Timestamp, Action, Symbol, ... Cancel Reason; the note only when asked for.
column_list<tick_result> default_schedule_columns(bool show_notes);

/// What became of the scheduled signals of one symbol and strategy in one mode. One owner; not
/// thread-safe.
class schedule_report {
public:
  /// `run` names the report and must not be null.
  schedule_report(shared_identity run, const configuration& config);

  /// Everything but `scheduled`, `cancelled`, and `opened` of a signal that waited is ignored.
  void apply(const tick_result& result);
  void clear();

  const run_identity& run() const noexcept { return rows_.run(); }

  schedule_statistics statistics() const;
  schedule_report_data data() const;
  std::string markdown(const column_list<tick_result>& columns) const;
  std::string file_name() const;
  /// Writes `directory / report_folder::schedule / file_name()` and returns that path; throws
  /// `failure{io_failed}`.
  std::filesystem::path dump(const std::filesystem::path& directory,
                             const column_list<tick_result>& columns) const;

private:
  /// Signals that ended in one way.
  struct outcome_counts {
    std::int64_t seen = 0;
    std::int64_t matched = 0; ///< those whose scheduling was seen here
    std::int64_t timed = 0;   ///< those that say how long they waited
    instant waited_ms = 0;
  };

  void remember(const tick_result& scheduled);
  void count(outcome_counts& outcome, const tick_result& result, std::optional<instant> end);

  report_rows<tick_result> rows_;
  std::size_t max_unresolved_;
  std::set<std::string> unresolved_; ///< ids; an engine has one at a time
  std::int64_t scheduled_ = 0;
  outcome_counts opened_;
  outcome_counts cancelled_;
};

} // namespace backtest
