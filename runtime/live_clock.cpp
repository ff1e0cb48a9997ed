#include "runtime/live_clock.hpp"

#include "messages/error.hpp"
#include "runtime/wall_clock.hpp"

#include <chrono>
#include <cmath>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

#include <fmt/format.h>

namespace backtest {

namespace {

using std::chrono::steady_clock;

/// A thread that waits for the one alarm.
class alarm_clock : public live_clock {
public:
  alarm_clock() : thread_([this](const std::stop_token& stop) { watch(stop); }) {}

  void wake_at(instant when, std::function<void()> ring) final {
    const std::scoped_lock lock{mutex_};
    alarm_ = {when, std::move(ring)};
    changed_.notify_all();
  }

  void cancel() final {
    const std::scoped_lock lock{mutex_};
    alarm_.reset();
  }

protected:
  /// How long to sleep before looking again whether `when` has come; at most a second, so that a
  /// clock that was set is noticed.
  virtual std::chrono::nanoseconds distance_to(instant when) const = 0;

  /// To be called by the destructors of what derives, while `now` still works.
  void stop() {
    thread_.request_stop();
    if (thread_.joinable())
      thread_.join();
  }

private:
  struct alarm {
    instant when;
    std::function<void()> ring;
  };

  void watch(const std::stop_token& stop) {
    std::unique_lock lock{mutex_};
    while (!stop.stop_requested()) {
      if (!alarm_) {
        changed_.wait(lock, stop, [this] { return alarm_.has_value(); });
      } else if (const auto left = distance_to(alarm_->when); left > left.zero()) {
        const auto when = alarm_->when;
        changed_.wait_for(lock, stop, std::min<std::chrono::nanoseconds>(left, std::chrono::seconds{1}),
                          [&] { return !alarm_ || alarm_->when != when; });
      } else {
        const auto ring = std::move(alarm_->ring);
        alarm_.reset();
        ring(); // sends a message; a canceller waits for it
      }
    }
  }

  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::optional<alarm> alarm_;
  std::jthread thread_;
};

class system_live_clock final : public alarm_clock {
public:
  ~system_live_clock() override { stop(); }
  bool is_replay() const noexcept override { return false; }
  instant now() const override { return wall_clock(); }

private:
  std::chrono::nanoseconds distance_to(instant when) const override {
    return std::chrono::milliseconds{when - now()};
  }
};

class replay_live_clock final : public alarm_clock {
public:
  explicit replay_live_clock(double speed) : speed_(speed), began_(steady_clock::now()) {}
  ~replay_live_clock() override { stop(); }
  bool is_replay() const noexcept override { return true; }
  bool is_unpaced() const noexcept override { return std::isinf(speed_); }

  instant now() const override {
    if (is_unpaced())
      return end_of_time;
    const std::scoped_lock lock{mutex_};
    const std::chrono::duration<double, std::milli> elapsed = steady_clock::now() - began_;
    return first_ + static_cast<instant>(elapsed.count() * speed_);
  }

  void start_at(instant first) override {
    const std::scoped_lock lock{mutex_};
    first_ = first;
    began_ = steady_clock::now();
  }

private:
  std::chrono::nanoseconds distance_to(instant when) const override {
    if (is_unpaced())
      return {};
    const std::chrono::duration<double, std::milli> left{static_cast<double>(when - now()) / speed_};
    return std::chrono::duration_cast<std::chrono::nanoseconds>(
        std::min(left, std::chrono::duration<double, std::milli>{1000}));
  }

  double speed_;
  mutable std::mutex mutex_;
  instant first_ = 0;
  steady_clock::time_point began_;
};

} // namespace

std::shared_ptr<live_clock> make_system_clock() { return std::make_shared<system_live_clock>(); }

std::shared_ptr<live_clock> make_replay_clock(double speed) {
  if (!(speed > 0))
    throw failure(error_code::invalid_argument,
                  fmt::format("speed of the replay clock must be positive, got {}", speed));
  return std::make_shared<replay_live_clock>(speed);
}

} // namespace backtest
