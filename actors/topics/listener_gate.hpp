#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace backtest {

/// Lets callbacks of one listener begin until it is closed; a callback that runs may finish. They
/// come one at a time. Thread-safe.
class listener_gate {
public:
  /// False once closed: the callback must not begin, and does not `leave`.
  bool enter() noexcept {
    int expected = open_state;
    return state_.compare_exchange_strong(expected, running_state);
  }
  /// The callback is over.
  void leave() {
    done_.fetch_add(1, std::memory_order_relaxed);
    int expected = running_state;
    if (state_.compare_exchange_strong(expected, open_state))
      return;
    // Closed meanwhile. Under the lock, so that whoever waits has either not looked yet or sleeps.
    const std::lock_guard lock{mutex_};
    state_.store(closed_state);
    left_.notify_all();
  }
  void close() noexcept {
    int seen = state_.load();
    while (
        seen != closed_state && seen != closing_state &&
        !state_.compare_exchange_weak(seen, seen == running_state ? closing_state : closed_state)) {
    }
  }
  /// Of a callback that runs: closes the gate; false when somebody else did so meanwhile.
  bool close_behind() noexcept {
    int expected = running_state;
    return state_.compare_exchange_strong(expected, closing_state);
  }
  bool is_closed() const noexcept { return state_.load() >= closing_state; }
  /// It is closed, and no callback runs.
  bool has_left() const noexcept { return state_.load() == closed_state; }
  /// Once it is closed: false when a callback still runs at `deadline`.
  bool wait_until_left(std::chrono::steady_clock::time_point deadline) {
    std::unique_lock lock{mutex_};
    return left_.wait_until(lock, deadline, [this] { return state_.load() == closed_state; });
  }
  void wait_until_left() {
    std::unique_lock lock{mutex_};
    left_.wait(lock, [this] { return state_.load() == closed_state; });
  }

  /// Callbacks that are over.
  std::uint64_t done() const noexcept { return done_.load(std::memory_order_relaxed); }

private:
  static constexpr int open_state = 0, running_state = 1, closing_state = 2, closed_state = 3;
  std::atomic<int> state_{open_state};
  std::atomic<std::uint64_t> done_{0};
  std::mutex mutex_;
  std::condition_variable left_;
};

} // namespace backtest
