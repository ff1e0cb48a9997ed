#pragma once

#include <functional>
#include <memory>

namespace backtest {

/// A thread that does one job after the other and can be left: its owner never waits for it, and
/// when the owner is gone it ends by itself behind the job at hand, however long that takes. So a
/// job owns what it uses, and goes back to actors by `census_visit` alone.
class leavable_thread {
public:
  /// Throws `std::system_error` when there can be no thread.
  leavable_thread();
  /// Jobs that have not begun never do.
  ~leavable_thread();
  leavable_thread(const leavable_thread&) = delete;
  leavable_thread& operator=(const leavable_thread&) = delete;

  /// A job does not throw.
  void run(std::function<void()> job);

private:
  struct queue;
  std::shared_ptr<queue> queue_;
};

} // namespace backtest
