#include "runtime/live_clock.hpp"

#include "actors/alarm_thread.hpp"
#include "messages/error.hpp"
#include "runtime/wall_clock.hpp"

#include <chrono>
#include <cmath>
#include <mutex>
#include <utility>

#include <fmt/format.h>

namespace backtest {

namespace {

using std::chrono::steady_clock;

class system_live_clock final : public live_clock {
public:
  bool is_replay() const noexcept override { return false; }
  instant now() const override { return wall_clock(); }
  void wake_at(instant when, std::function<void()> ring) override {
    alarm_.wake_at(when, std::move(ring));
  }
  void cancel() override { alarm_.cancel(); }

private:
  alarm_thread alarm_{[](instant when) { return std::chrono::milliseconds{when - wall_clock()}; }};
};

class replay_live_clock final : public live_clock {
public:
  explicit replay_live_clock(double speed) : speed_(speed), began_(steady_clock::now()) {}
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

  void wake_at(instant when, std::function<void()> ring) override {
    alarm_.wake_at(when, std::move(ring));
  }
  void cancel() override { alarm_.cancel(); }

private:
  std::chrono::nanoseconds left_until(instant when) const {
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
  alarm_thread alarm_{[this](instant when) { return left_until(when); }};
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
