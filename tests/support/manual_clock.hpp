#pragma once

#include "runtime/live_clock.hpp"

#include <condition_variable>
#include <mutex>
#include <utility>

namespace backtest::testing {

/// A clock that stands still until a test moves it.
class manual_clock final : public live_clock {
public:
  explicit manual_clock(instant now, bool replays = false) : now_(now), replays_(replays) {}

  bool is_replay() const noexcept override { return replays_; }
  instant now() const override {
    const std::lock_guard lock{mutex_};
    return now_;
  }
  void wake_at(instant when, std::function<void()> ring) override {
    {
      const std::lock_guard lock{mutex_};
      armed_ = true;
      changed_.notify_all(); // who waits looks once the lock is free
      if (when > now_) {
        when_ = when;
        ring_ = std::move(ring);
        return;
      }
      ring_ = {};
    }
    ring();
  }
  void cancel() override {
    const std::lock_guard lock{mutex_};
    ring_ = {};
    armed_ = false;
  }

  /// Blocks until somebody has set an alarm since the last was cancelled: the run took its first
  /// look at the clock.
  void wait_until_watched() {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [this] { return armed_; });
  }

  /// Blocks until the alarm is set to `when`.
  void wait_for_alarm_at(instant when) {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [&] { return ring_ && when_ == when; });
  }

  void set(instant now) {
    std::function<void()> ring;
    {
      const std::lock_guard lock{mutex_};
      now_ = now;
      if (ring_ && when_ <= now_)
        ring = std::exchange(ring_, {});
    }
    if (ring)
      ring();
  }

private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool armed_ = false;
  instant now_;
  bool replays_;
  instant when_ = 0;
  std::function<void()> ring_;
};

/// A clock whose alarms ring when they are set.
class impatient_clock final : public live_clock {
public:
  bool is_replay() const noexcept override { return true; }
  instant now() const override { return 0; }
  void wake_at(instant, std::function<void()> ring) override { ring(); }
  void cancel() override {}
};

} // namespace backtest::testing
