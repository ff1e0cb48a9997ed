#pragma once

#include "runtime/run_handles.hpp"
#include "runtime/walker_report.hpp"

#include <deque>
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
  std::size_t at_once = 1; ///< backtests that may work at the same time
  std::shared_ptr<run_alarm> alarm = std::make_shared<run_alarm>(); ///< of the backtests
  std::shared_ptr<portfolio_record> record;
  shared_caller_checks callers; ///< of the runtime
  bool is_background = false; ///< announces `done_walker`
};

/// One walker under way on one symbol. It works on whichever thread calls `advance`. Backtests may
/// work ahead of their turn; they are told, judged and listed one after another.
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
  const std::shared_ptr<portfolio_record>& shared_record() const noexcept { return setup_.record; }
  const caller_checks& callers() const noexcept { return *setup_.callers; }
  walker_report report() const;
  /// Of the backtests that have a result so far.
  std::vector<run_summary> summaries() const;

private:
  std::optional<walker_event> backtest_next();
  /// Backtests until as many work as may, in their order.
  void start_ahead();
  bool has_room() const;
  void end_ahead();
  std::optional<walker_event> take_result(const run_summary& summary);
  void take_failure(const run_identity& run, const error& reason);
  /// The turn of the next one, to its end. Nothing when the runtime is ending.
  std::optional<run_summary> finish_first();
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
  std::size_t next_ = 0;  ///< whose turn comes next
  std::size_t begun_ = 0; ///< backtests that were started
  bool over_ = false;
  std::stop_source stop_;
  mutable std::mutex mutex_; ///< guards what follows
  std::deque<started_run> under_way_;
  bool first_has_turn_ = false; ///< of those under way; the others are ahead of theirs
  walker_report report_;
  std::vector<run_summary> summaries_;
};

} // namespace backtest
