#pragma once

#include "runtime/live_clock.hpp"
#include "runtime/live_report.hpp"
#include "runtime/report_directory.hpp"
#include "runtime/run_handles.hpp"

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace backtest {

class runtime_core;

/// The front-end for live runs: what they hold survives in the runtime's store, and a start goes on
/// where the last one was interrupted. Every function checks the names it is given first and throws
/// `failure{not_found}`. Reports may not be asked for from a scheduled actor, see `runtime`.
class live_runs {
public:
  explicit live_runs(runtime_core& core) : core_(core) {}

  /// Elements are opened, closed and cancelled signals.
  signal_stream run(live_request request);
  /// Throws `failure`: `already_running`, also when a risk profile of its strategies belongs to
  /// another live run; `orphaned_signals`; `state_mismatch`; `store_failed`.
  run_handle background(live_request request);
  /// No new signals; a scheduled one is cancelled, a pending one is followed to its end. No-op when
  /// it does not run.
  void stop(const std::string& symbol, const std::string& strategy);
  /// The latest run of every symbol and strategy, by start.
  std::vector<run_status> list() const;
  run_status status(const std::string& symbol, const std::string& strategy) const;

  // Reports and statistics of a run that was resumed cover what it did before, too, as far as the
  // journal still holds it (journal_max_age_days, journal_max_bytes).

  trade_statistics statistics(const std::string& symbol, const std::string& strategy) const;

  live_report_data get_data(const std::string& symbol, const std::string& strategy) const;
  /// Markdown; `columns` replaces the runtime's own for this call.
  std::string get_report(const std::string& symbol, const std::string& strategy,
                         const std::optional<column_list<tick_result>>& columns = {}) const;
  /// Writes the markdown into the folder `live` of `directory` ("": ./dump) and returns the file's
  /// path; throws `failure{io_failed}`.
  std::filesystem::path dump(const std::string& symbol, const std::string& strategy,
                             const std::filesystem::path& directory = default_report_directory,
                             const std::optional<column_list<tick_result>>& columns = {}) const;

  // Operator commands: each blocks until it is durable, at most a minute of the run's clock, and
  // throws `failure{invalid_argument}` when it finds nothing to do, as `pause` of what is paused
  // already, and where it may not wait: from a scheduled actor or a callback, but for those of walkers
  // and, with the market, of listeners. After a restart they hold.
  void pause(const std::string& symbol, const std::string& strategy);
  void resume(const std::string& symbol, const std::string& strategy);
  void cancel_scheduled(const std::string& symbol, const std::string& strategy);
  void close_pending(const std::string& symbol, const std::string& strategy);
  void control(const std::string& symbol, const std::string& strategy, operator_command command);

private:
  runtime_core& core_;
};

} // namespace backtest
