#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>

namespace backtest {

/// A steady clock in milliseconds that costs its readers one load: a thread of its own moves it on
/// every few milliseconds, and sleeps while nobody watches. Good enough for deadlines of seconds.
/// Thread-safe.
class ticking_clock {
public:
  using reading = std::shared_ptr<const std::atomic<std::int64_t>>;

  ticking_clock();
  /// Readings stand still from here on.
  ~ticking_clock();
  ticking_clock(const ticking_clock&) = delete;
  ticking_clock& operator=(const ticking_clock&) = delete;

  /// Right when it is handed out, and kept moving for as long as somebody holds it.
  reading watch();

private:
  struct shared_state;
  std::shared_ptr<shared_state> state_;
  std::jthread thread_;
};

} // namespace backtest
