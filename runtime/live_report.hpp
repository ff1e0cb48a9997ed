#pragma once

#include "runtime/report_rows.hpp"
#include "runtime/trade_ledger.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace backtest {

struct live_report_data {
  trade_statistics statistics;         ///< of what closed
  std::vector<tick_result> event_list; ///< newest first, at most max_report_rows
  std::int64_t total_events = 0;       ///< rows since the start, those no longer held included
  std::int64_t total_closed = 0;
};

/// Timestamp, Action, Symbol, ... Duration; the note only when asked for.
column_list<tick_result> default_live_columns(bool show_notes);

/// The report of one symbol and strategy running live: everything the run tells, one row for a
/// stretch of idle instants and one per signal for waiting and for being active. One owner; not
/// thread-safe.
class live_report {
public:
  /// `run` names the report and must not be null.
  live_report(shared_identity run, const configuration& config);

  /// `seq` as for `trade_ledger::apply`.
  void apply(tick_result result, std::optional<std::uint64_t> seq = std::nullopt);
  void clear() noexcept;
  void set_bounds(const run_bounds& bounds) noexcept { ledger_.set_bounds(bounds); }

  const run_identity& run() const noexcept { return rows_.run(); }
  const trade_ledger& ledger() const noexcept { return ledger_; }

  trade_statistics statistics() const { return ledger_.statistics(); }
  live_report_data data() const;
  std::string markdown(const column_list<tick_result>& columns) const;
  std::string file_name() const;
  /// Writes `directory / report_folder::live / file_name()` and returns that path; throws
  /// `failure{io_failed}`.
  std::filesystem::path dump(const std::filesystem::path& directory,
                             const column_list<tick_result>& columns) const;

private:
  tick_result* row_updated_by(const tick_result& result);

  trade_ledger ledger_;
  report_rows<tick_result> rows_;
};

} // namespace backtest
