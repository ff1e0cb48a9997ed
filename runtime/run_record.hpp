#pragma once

#include "actors/runtime/run_status.hpp"
#include "messages/event.hpp"

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace backtest {

/// Wakes a thread that waits for whatever happens first in several runs. Thread-safe.
class run_alarm {
public:
  /// Something changed.
  void ring();
  /// Blocks until `is_met` says so; it is asked again after every change.
  void wait_until(const std::function<bool()>& is_met);

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t changes_ = 0;
};

/// What a portfolio run tells the threads that wait for it. Thread-safe.
class portfolio_record {
public:
  /// `alarm` rings when a run, or everything, is over; may be null.
  portfolio_record(std::uint64_t id, std::vector<shared_identity> runs, instant started_at,
                   std::shared_ptr<run_alarm> alarm = nullptr);

  std::uint64_t id() const noexcept { return id_; }
  /// One strategy on one symbol is over.
  void finish_run(std::size_t run, run_summary summary, instant finished_at);
  /// Error events were told with its names, so many in all; also after its end.
  void count_errors(std::size_t run, std::int64_t errors);
  /// Everything is over and announced; `problem`: the whole portfolio failed.
  void finish(std::optional<error> problem);

  bool finished() const;
  /// Calls `tell` once everything is over, at once when it is; in whatever thread that happens, so
  /// it should only send.
  void when_finished(std::function<void()> tell);
  /// No run works any more, though what they did may not be told yet.
  bool is_idle() const;
  /// Blocks until the portfolio is over. Not from an actor.
  void wait() const;
  std::vector<run_summary> summaries() const;
  std::vector<run_status> statuses() const;

private:
  std::uint64_t id_;
  std::shared_ptr<run_alarm> alarm_;
  mutable std::mutex mutex_;
  mutable std::condition_variable over_;
  bool finished_ = false;
  std::vector<std::function<void()>> told_; ///< once it is
  std::vector<run_summary> summaries_;
  std::vector<run_status> statuses_;
};

/// Elements of a lazy stream on their way from the engine to one consuming thread.
class stream_channel {
public:
  /// Engine side. What is pushed together answers one demand.
  void push(const std::vector<tick_result>& elements);
  void close(std::optional<error> problem);

  /// Consumer side: the next element, nothing at the end. `ask` is called when the engine must go
  /// on for one. Throws `failure` when the run failed.
  std::optional<tick_result> next(const std::function<void()>& ask);

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<tick_result> elements_;
  bool closed_ = false;
  std::optional<error> problem_;
};

} // namespace backtest
