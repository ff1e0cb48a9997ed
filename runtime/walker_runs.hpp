#pragma once

#include "runtime/caller_checks.hpp"
#include "runtime/run_record.hpp"
#include "runtime/report_directory.hpp"
#include "runtime/walker_report.hpp"

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace backtest {

class runtime_core;
class walk;

/// A walker in the background. Copies speak of the same one.
class walker_handle {
public:
  /// Of nothing; to be assigned to. It has id 0, nothing in its status, data and summaries, and is
  /// finished.
  walker_handle() = default;
  explicit walker_handle(std::shared_ptr<walk> begun) : walk_(std::move(begun)) {}

  std::uint64_t id() const noexcept;
  /// The backtest under way is cut short, no further one begins. Idempotent, from any thread,
  /// returns at once; of no effect once the walker is over.
  void cancel();
  /// Blocks until the walker is over and announced. Throws `failure{invalid_argument}` where it
  /// might wait for itself: from a scheduled actor, and from a callback.
  void wait() const;
  bool finished() const;
  run_status status() const;
  /// What it came to so far; columns and markdown as `walker_runs` has them.
  walker_report_data data() const;
  /// Of its backtests that have a result so far, in the walker's order.
  std::vector<run_summary> summaries() const;

private:
  std::shared_ptr<walk> walk_;
};

/// A lazy walker: nothing happens before the first `next`, and backtests run within `next`. One
/// consuming thread. One that was moved from has no results. Letting go of it ends the walker,
/// without `done_walker`; where `next` may not be called that goes on behind it.
class walker_stream {
public:
  walker_stream(std::function<std::shared_ptr<walk>()> begin, shared_caller_checks callers)
      : begin_(std::move(begin)), callers_(std::move(callers)) {}
  walker_stream(walker_stream&& other) noexcept;
  walker_stream& operator=(walker_stream&& other) noexcept;
  ~walker_stream();

  /// The result of the next strategy, partial when it was cut short; strategies that fail are
  /// passed over; nothing once the walker is over. Throws `failure`: `already_running` (on the
  /// first call), or what made the walker fail; `invalid_argument` from a scheduled actor, and from
  /// a callback.
  std::optional<walker_event> next();
  /// As `walker_handle::cancel`; to end a `next` under way use `walker_runs::stop`.
  void stop();

private:
  std::function<std::shared_ptr<walk>()> begin_;
  shared_caller_checks callers_;
  std::shared_ptr<walk> walk_;
};

/// The front-end for walkers: every strategy of one backtested on a symbol, one after another in
/// the order of the schema, and compared. Every function checks the walker's name and the names it
/// holds first and throws `failure{not_found}` for an unknown one. Needs backtest reports, see
/// `runtime_options::reports`.
class walker_runs {
public:
  explicit walker_runs(runtime_core& core) : core_(core) {}

  walker_stream run(const std::string& symbol, const std::string& walker);
  /// Starts at once. Throws `failure{already_running}` when this walker, or any strategy of it, runs
  /// on the symbol; nothing is cleared then. All of them are taken until it is over.
  walker_handle background(const std::string& symbol, const std::string& walker);
  /// No-op when it does not run.
  void stop(const std::string& symbol, const std::string& walker);
  /// The latest run of every symbol and walker, by start; the walker's name stands for the strategy.
  std::vector<run_status> list() const;
  run_status status(const std::string& symbol, const std::string& walker) const;

  walker_report_data get_data(const std::string& symbol, const std::string& walker) const;
  /// Markdown; columns given replace the runtime's own for this call.
  std::string
  get_report(const std::string& symbol, const std::string& walker,
             const std::optional<column_list<walker_result>>& strategy_columns = {},
             const std::optional<column_list<tick_result>>& pnl_columns = {}) const;
  /// Writes the markdown into the folder `walker` of `directory` ("": ./dump) and returns the
  /// file's path; throws `failure{io_failed}`.
  std::filesystem::path dump(const std::string& symbol, const std::string& walker,
                             const std::filesystem::path& directory = default_report_directory,
                             const std::optional<column_list<walker_result>>& strategy_columns = {},
                             const std::optional<column_list<tick_result>>& pnl_columns = {}) const;

private:
  walker_report report_of(const std::string& symbol, const std::string& walker,
                          std::string_view source) const;

  runtime_core& core_;
};

} // namespace backtest
