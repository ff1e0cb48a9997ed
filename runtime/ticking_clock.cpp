#include "runtime/ticking_clock.hpp"

#include <chrono>
#include <condition_variable>
#include <mutex>

namespace backtest {

namespace {

constexpr std::chrono::milliseconds tick{10};

std::int64_t now() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

} // namespace

struct ticking_clock::shared_state {
  std::atomic<std::int64_t> milliseconds{now()};
  std::mutex mutex;
  std::condition_variable_any changed;
  std::size_t watchers = 0;
};

ticking_clock::ticking_clock()
    : state_(std::make_shared<shared_state>()),
      thread_([state = state_](const std::stop_token& stop) {
        std::unique_lock lock{state->mutex};
        while (!stop.stop_requested()) {
          state->changed.wait(lock, stop, [&] { return state->watchers > 0; });
          state->milliseconds.store(now(), std::memory_order_relaxed);
          state->changed.wait_for(lock, stop, tick, [] { return false; });
        }
      }) {}

ticking_clock::~ticking_clock() = default;

ticking_clock::reading ticking_clock::watch() {
  const std::scoped_lock lock{state_->mutex};
  ++state_->watchers;
  state_->changed.notify_all();
  state_->milliseconds.store(now(), std::memory_order_relaxed);
  return reading{&state_->milliseconds, [state = state_](const std::atomic<std::int64_t>*) {
                   const std::scoped_lock held{state->mutex};
                   --state->watchers;
                 }};
}

} // namespace backtest
