#include "actors/alarm_thread.hpp"

#include <algorithm>
#include <utility>

namespace backtest {

alarm_thread::alarm_thread(std::function<std::chrono::nanoseconds(instant)> left_until)
    : left_until_(std::move(left_until)),
      thread_([this](const std::stop_token& stop) { watch(stop); }) {}

alarm_thread::~alarm_thread() {
  thread_.request_stop();
  thread_.join();
}

void alarm_thread::wake_at(instant when, std::function<void()> ring) {
  const std::scoped_lock lock{mutex_};
  alarm_ = {when, std::move(ring)};
  changed_.notify_all();
}

void alarm_thread::cancel() {
  const std::scoped_lock lock{mutex_};
  alarm_.reset();
}

void alarm_thread::watch(const std::stop_token& stop) {
  std::unique_lock lock{mutex_};
  while (!stop.stop_requested()) {
    if (!alarm_) {
      changed_.wait(lock, stop, [this] { return alarm_.has_value(); });
    } else if (const auto left = left_until_(alarm_->when); left > left.zero()) {
      const auto when = alarm_->when;
      changed_.wait_for(lock, stop,
                        std::min<std::chrono::nanoseconds>(left, std::chrono::seconds{1}),
                        [&] { return !alarm_ || alarm_->when != when; });
    } else {
      const auto ring = std::move(alarm_->ring);
      alarm_.reset();
      ring(); // sends a message; a canceller waits for it
    }
  }
}

} // namespace backtest
