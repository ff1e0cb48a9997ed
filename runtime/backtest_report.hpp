#pragma once

#include "runtime/column.hpp"
#include "runtime/trade_sample.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace backtest {

/// What a run covered: its first and last instant and the symbol's closes there. Gives buy-and-hold
/// return and exposure their meaning.
struct run_bounds {
  instant start = 0;
  instant end = 0;
  std::optional<double> first_close;
  std::optional<double> last_close;
};

struct backtest_report_data {
  trade_statistics statistics;
  std::vector<tick_result> signal_list; ///< newest first, at most max_report_rows
};

/// Signal ID, Symbol, Position, ... Fall PNL; the note only when asked for
/// (`configuration::report_show_signal_note`).
column_list<tick_result> default_backtest_columns(bool show_notes);

/// Where backtest reports go unless told otherwise, relative to the working directory.
inline constexpr const char* default_backtest_report_directory = "./dump/backtest";

/// The report of one symbol and strategy: fed with the results of a backtest, it keeps what ended
/// in a close. One owner; not thread-safe.
class backtest_report {
public:
  /// `run` names the report and must not be null; exchange and frame are taken from the results as
  /// they come.
  backtest_report(shared_identity run, const configuration& config);

  /// Everything but `closed` is ignored. `seq` orders trades that closed at the same instant, also
  /// across symbols; absent: the order of arrival here.
  void apply(tick_result result, std::optional<std::uint64_t> seq = std::nullopt);
  /// A run starts: trades, rows and bounds are forgotten.
  void clear() noexcept;
  /// Known once a run has begun or ended; figures that need it are N/A before.
  void set_bounds(const run_bounds& bounds) noexcept { bounds_ = bounds; }

  const run_identity& run() const noexcept { return *run_; }
  /// The trades behind the statistics, for portfolio figures.
  const trade_sample& trades() const noexcept { return trades_; }
  const std::optional<run_bounds>& bounds() const noexcept { return bounds_; }

  trade_statistics statistics() const;
  backtest_report_data data() const;
  std::string markdown(const column_list<tick_result>& columns) const;
  std::string file_name() const;
  /// Writes `directory / file_name()` and returns that path; throws `failure{io_failed}`.
  std::filesystem::path dump(const std::filesystem::path& directory,
                             const column_list<tick_result>& columns) const;

private:
  shared_identity run_;
  statistics_gates gates_;
  trade_sample trades_;
  newest_rows<tick_result> rows_;
  std::optional<run_bounds> bounds_;
};

} // namespace backtest
