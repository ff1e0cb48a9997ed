#pragma once

#include "runtime/run_handles.hpp"
#include "runtime/walker_report.hpp"

#include <mutex>
#include <optional>
#include <stop_token>

namespace backtest {

class runtime_core;

/// What a walk needs, captured when it was asked for.
struct walk_setup {
  shared_identity identity; ///< the walker's name stands for the strategy
  std::shared_ptr<const walker_schema> schema;
  configuration parameters;
  std::vector<std::shared_ptr<portfolio_setup>> backtests; ///< one per strategy, in their order
  std::shared_ptr<portfolio_record> record;
  bool is_background = false; ///< announces `done_walker`
};

/// One walker under way on one symbol. It works on whichever thread calls `advance`.
class walk {
public:
  walk(runtime_core& core, walk_setup setup);

  /// Backtests strategies up to the next one that has a result; nothing once all is over and
  /// announced. Throws what made the walk as a whole fail. Calls wait for one another.
  std::optional<walker_event> advance();
  /// From any thread, returns at once.
  void stop();
  /// Stops, announces the end, and returns once no thread works in it any more, nor ever will.
  void leave();

  const portfolio_record& record() const noexcept { return *setup_.record; }
  walker_report report() const;

private:
  std::optional<walker_event> backtest_next();
  std::optional<walker_event> take_result(const run_summary& summary);
  void take_failure(const run_identity& run, const error& reason);
  /// Nothing when the runtime is ending.
  std::optional<run_summary> backtest(const std::shared_ptr<portfolio_setup>& setup);
  void finish();
  void fail(const error& reason);
  void close(run_outcome outcome, std::optional<error> problem);
  void tell_progress();
  void tell(topic on, event_payload payload);
  /// Calls a user's function; what it throws becomes an error event.
  template <class Function, class... Arguments>
  void call(const char* name, const Function& callback, const Arguments&... arguments);

  std::mutex working_; ///< held while a thread works in here
  runtime_core* core_; ///< null once it was left
  walk_setup setup_;
  std::size_t next_ = 0;
  bool over_ = false;
  std::stop_source stop_;
  mutable std::mutex mutex_; ///< guards what follows
  std::optional<started_run> current_;
  walker_report report_;
};

} // namespace backtest
