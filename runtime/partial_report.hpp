#pragma once

#include "messages/event.hpp"
#include "runtime/report_rows.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace backtest {

struct partial_report_data {
  std::vector<partial_event> event_list; ///< newest first, at most max_report_rows
  std::int64_t total_events = 0;         ///< since the start, as the two below
  std::int64_t total_profit = 0;
  std::int64_t total_loss = 0;
};

/// Action, Symbol, Strategy, ... Mode.
column_list<partial_event> default_partial_columns();

/// The milestones the signals of one symbol and strategy reached in one mode. One owner; not
/// thread-safe.
class partial_report {
public:
  /// `run` names the report and must not be null.
  partial_report(shared_identity run, const configuration& config);

  void apply(partial_event milestone);
  void clear() noexcept;

  const run_identity& run() const noexcept { return rows_.run(); }

  partial_report_data data() const;
  std::string markdown(const column_list<partial_event>& columns) const;
  std::string file_name() const;
  /// Writes `directory / report_folder::partial / file_name()` and returns that path; throws
  /// `failure{io_failed}`.
  std::filesystem::path dump(const std::filesystem::path& directory,
                             const column_list<partial_event>& columns) const;

private:
  report_rows<partial_event> rows_;
  std::int64_t total_profit_ = 0;
};

} // namespace backtest
