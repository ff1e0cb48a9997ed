#include "actors/leavable_thread.hpp"

#include "messages/thread_name.hpp"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

namespace backtest {

struct leavable_thread::queue {
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::function<void()>> jobs;
  bool is_left = false;

  void work() {
    for (;;) {
      std::function<void()> job;
      {
        std::unique_lock lock{mutex};
        changed.wait(lock, [this] { return is_left || !jobs.empty(); });
        if (is_left)
          return;
        job = std::move(jobs.front());
        jobs.pop_front();
      }
      job();
    }
  }
};

leavable_thread::leavable_thread() : queue_(std::make_shared<queue>()) {
  std::thread{[held = queue_] {
    name_this_thread("backtest.call");
    held->work();
  }}.detach();
}

leavable_thread::~leavable_thread() {
  std::deque<std::function<void()>> dropped; // outside the lock: jobs own whatever they like
  {
    const std::lock_guard lock{queue_->mutex};
    queue_->is_left = true;
    dropped.swap(queue_->jobs);
    queue_->changed.notify_all();
  }
}

void leavable_thread::run(std::function<void()> job) {
  const std::lock_guard lock{queue_->mutex};
  queue_->jobs.push_back(std::move(job));
  queue_->changed.notify_all();
}

} // namespace backtest
