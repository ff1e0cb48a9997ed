#pragma once

#include "messages/time.hpp"

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>

namespace backtest {

/// A thread that rings once a time has come. One alarm at a time; thread-safe.
class alarm_thread {
public:
  /// `left_until`: how long until a time of the caller's own clock, called on this thread. It is
  /// looked at once a second at least, so a clock that was set is noticed.
  explicit alarm_thread(std::function<std::chrono::nanoseconds(instant)> left_until);
  ~alarm_thread();
  alarm_thread(const alarm_thread&) = delete;
  alarm_thread& operator=(const alarm_thread&) = delete;

  /// Replaces the alarm set before. `ring` must not call back.
  void wake_at(instant when, std::function<void()> ring);
  /// No alarm rings any more once it returns.
  void cancel();

private:
  struct alarm {
    instant when;
    std::function<void()> ring;
  };

  void watch(const std::stop_token& stop);

  std::function<std::chrono::nanoseconds(instant)> left_until_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::optional<alarm> alarm_;
  std::jthread thread_;
};

} // namespace backtest
