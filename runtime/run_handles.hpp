#pragma once

#include "runtime/caller_checks.hpp"
#include "runtime/run_record.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <vector>

namespace backtest {

/// A run that was started: what the facade's handles and streams hold of it.
struct started_run {
  std::shared_ptr<portfolio_record> record;
  std::shared_ptr<stream_channel> stream; ///< null for a background run
  std::vector<std::stop_source> stops;
  std::function<void()> stop_told; ///< after `stops`; live drivers would sleep until the next minute
  std::function<void()> demand;    ///< the consumer of the stream wants one more element
  std::function<void()> halt; ///< at once: no function of a user's begins any more, nothing is told
  std::function<void()> end_at_once; ///< the same, and nobody waits for what is under way
  shared_caller_checks callers;      ///< of the runtime
  std::function<void()> take_turn; ///< of a walker's: from now on it is heard of, listed and stopped

  void stop();
};

/// A background run. Copies speak of the same one.
class run_handle {
public:
  /// Of nothing; to be assigned to. It has id 0 and no summaries, and is finished.
  run_handle() = default;
  explicit run_handle(started_run run) : run_(std::move(run)) {}

  std::uint64_t id() const noexcept { return run_.record ? run_.record->id() : 0; }
  /// At the next instant: no new signals, open positions are followed to their end. Between two
  /// calls of a source: candles that only stopped runs wait for are asked for no more. Idempotent,
  /// from any thread, returns at once; of no effect once the run is over.
  void cancel() { run_.stop(); }
  /// Blocks until the run is over and announced. Throws `failure{invalid_argument}` where it might
  /// wait for itself: from a scheduled actor, and from a callback.
  void wait() const;
  bool finished() const { return !run_.record || run_.record->finished(); }
  /// One per strategy and symbol, by strategy, then symbol.
  std::vector<run_summary> summaries() const {
    return run_.record ? run_.record->summaries() : std::vector<run_summary>{};
  }

private:
  started_run run_;
};

/// A lazy run: nothing happens before the first `next`. A backtest goes no further than the element
/// asked for, nor does a live run on the replay clock; with the market it goes on and its elements
/// wait. An element comes when the reports have taken in everything up to it. One consuming thread.
/// One that was moved from has no elements. Letting go of it ends the run at once and, where `next`
/// may be called, waits until it is over; what a live run holds stays in the store.
class signal_stream {
public:
  signal_stream(std::function<started_run()> begin, shared_caller_checks callers)
      : begin_(std::move(begin)), callers_(std::move(callers)) {}
  signal_stream(signal_stream&& other) noexcept;
  signal_stream& operator=(signal_stream&& other) noexcept;
  ~signal_stream();

  /// The next closed or cancelled signal, in live an opened one too; nothing once the run is over.
  /// Throws `failure`: `already_running` (on the first call), or what made the run fail;
  /// `invalid_argument` from a scheduled actor, and from a callback.
  std::optional<tick_result> next();
  /// As `run_handle::cancel`.
  void stop();
  /// Of the run so far; empty before the first `next`.
  std::vector<run_summary> summaries() const;

private:
  std::function<started_run()> begin_;
  shared_caller_checks callers_;
  std::optional<started_run> run_;
};

} // namespace backtest
