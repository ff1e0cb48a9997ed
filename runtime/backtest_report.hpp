#pragma once

#include "runtime/report_rows.hpp"
#include "runtime/trade_ledger.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace backtest {

struct backtest_report_data {
  trade_statistics statistics;
  std::vector<tick_result> signal_list; ///< newest first, at most max_report_rows
};

/// Signal ID, Symbol, Position, ... Fall PNL; the note only when asked for
/// (`configuration::report_show_signal_note`).
column_list<tick_result> default_backtest_columns(bool show_notes);

/// The report of one symbol and strategy: fed with the results of a backtest, it keeps what ended
/// in a close. One owner; not thread-safe.
class backtest_report {
public:
  /// `run` names the report and must not be null; exchange and frame are taken from the results as
  /// they come.
  backtest_report(shared_identity run, const configuration& config);

  /// Everything but `opened`, for exposure, and `closed` is ignored. `seq` as for
  /// `trade_ledger::apply`.
  void apply(tick_result&& result, std::optional<std::uint64_t> seq = std::nullopt);
  void apply(const tick_result& result, std::optional<std::uint64_t> seq = std::nullopt) {
    apply(tick_result{result}, seq);
  }
  /// A run starts: trades, rows and bounds are forgotten.
  void clear() noexcept;
  /// Known once a run has begun or ended; figures that need it are N/A before.
  void set_bounds(const run_bounds& bounds) noexcept { ledger_.set_bounds(bounds); }

  const run_identity& run() const noexcept { return rows_.run(); }
  /// The trades behind the statistics, for portfolio figures.
  const trade_ledger& ledger() const noexcept { return ledger_; }
  const trade_sample& trades() const noexcept { return ledger_.trades(); }

  trade_statistics statistics() const { return ledger_.statistics(); }
  backtest_report_data data() const;
  std::string markdown(const column_list<tick_result>& columns) const;
  std::string file_name() const;
  /// Writes `directory / report_folder::backtest / file_name()` and returns that path; throws
  /// `failure{io_failed}`.
  std::filesystem::path dump(const std::filesystem::path& directory,
                             const column_list<tick_result>& columns) const;

private:
  trade_ledger ledger_;
  report_rows<tick_result> rows_;
};

} // namespace backtest
