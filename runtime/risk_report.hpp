#pragma once

#include "messages/event.hpp"
#include "runtime/name_counts.hpp"
#include "runtime/report_rows.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace backtest {

struct risk_report_data {
  std::vector<risk_event> event_list; ///< newest first, at most max_report_rows
  std::int64_t total_rejections = 0;  ///< since the start, as the counts below
  std::vector<named_count> by_symbol;
  std::vector<named_count> by_strategy;
  std::vector<named_count> by_reason;
};

/// Symbol, Strategy, Signal ID, ... Timestamp; the note only when asked for.
column_list<risk_event> default_risk_columns(bool show_notes);

/// The signals of one symbol and strategy that risk refused in one mode. One owner; not
/// thread-safe.
class risk_report {
public:
  /// `run` names the report and must not be null.
  risk_report(shared_identity run, const configuration& config);

  void apply(risk_event rejection);
  void clear() noexcept;

  const run_identity& run() const noexcept { return rows_.run(); }

  risk_report_data data() const;
  std::string markdown(const column_list<risk_event>& columns) const;
  std::string file_name() const;
  /// Writes `directory / report_folder::risk / file_name()` and returns that path; throws
  /// `failure{io_failed}`.
  std::filesystem::path dump(const std::filesystem::path& directory,
                             const column_list<risk_event>& columns) const;

private:
  std::string summary() const;

  report_rows<risk_event> rows_;
  name_counts symbols_;
  name_counts strategies_;
  name_counts reasons_;
};

} // namespace backtest
