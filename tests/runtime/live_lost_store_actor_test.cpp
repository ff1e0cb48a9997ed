// Live runs whose store is lost for good, or silent when they are told to stop.

#include "tests/support/live_fixture.hpp"
#include "tests/support/manual_clock.hpp"

#include <condition_variable>
#include <mutex>
#include <thread>

using namespace backtest;
using namespace backtest::testing;

namespace {

/// A commit of signals meets what the test put there.
class ambushed_store final : public shared_store {
public:
  ambushed_store(std::shared_ptr<store> inner, std::function<void()> ambush)
      : shared_store(std::move(inner)), ambush_(std::move(ambush)) {}

  void commit(const store_batch& batch) override {
    for (const auto& write : batch)
      if (write.space == store_space::journal) {
        ambush_();
        break;
      }
    shared_store::commit(batch);
  }
  void reopen() override { ambush_(); }

private:
  std::function<void()> ambush_;
};

runtime_options ambushed(const test_disk& disk, std::function<void()> ambush) {
  auto options = on(disk);
  options.open_store = [opener = disk.opener(), ambush = std::move(ambush)] {
    return std::make_unique<ambushed_store>(opener(), ambush);
  };
  return options;
}

/// Holds up whoever passes until it is opened.
class store_gate {
public:
  void pass() {
    std::unique_lock lock{mutex_};
    is_reached_ = true;
    changed_.notify_all();
    changed_.wait(lock, [this] { return is_open_; });
  }
  void wait_until_reached() {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [this] { return is_reached_; });
  }
  void open() {
    const std::lock_guard lock{mutex_};
    is_open_ = true;
    changed_.notify_all();
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_open_ = false;
  bool is_reached_ = false;
};

error problem_of_run(const run_handle& handle) {
  const auto summary = handle.summaries().front();
  CHECK(summary.outcome == run_outcome::failed);
  REQUIRE(summary.problem);
  return *summary.problem;
}

} // namespace

TEST_CASE("live, lost store: the run fails at once and says what is not durable") {
  const watchdog guard;
  const test_disk disk;
  runtime target{ambushed(disk, [] {
    throw failure(error_code::store_lost, "store: another process has taken over the writing");
  })};
  add_basics(target);
  auto request = one_buyer(at_full_speed());
  request.retry_clock = std::make_shared<manual_clock>(0); // never again
  const auto handle = target.live().background(request);
  handle.wait();
  const auto problem = problem_of_run(handle);
  CHECK(problem.code == error_code::store_lost);
  CHECK(problem.message.find("another process has taken over the writing; not known to be durable, "
                             "and told to nobody: ") != std::string::npos);
  CHECK(problem.message.find("buyer on BTC") != std::string::npos);
  CHECK(disk.journal().empty());
}

TEST_CASE("live, silent store: a stop waits for stop_patience_seconds, whether the store blocks or "
          "refuses") {
  const watchdog guard;
  store_gate silence;
  std::function<void()> ambush;
  SUBCASE("it blocks") {
    ambush = [&] { silence.pass(); };
  }
  SUBCASE("it refuses") {
    ambush = [&] {
      silence.pass();
      throw failure(error_code::store_failed, "store: no space left");
    };
    silence.open();
  }
  const test_disk disk;
  auto options = ambushed(disk, ambush);
  options.parameters.stop_patience_seconds = 7;
  runtime target{std::move(options)};
  add_basics(target);
  const auto clock = std::make_shared<manual_clock>(1'000);
  auto request = one_buyer(at_full_speed());
  request.retry_clock = clock;
  auto handle = target.live().background(request);
  silence.wait_until_reached();
  handle.cancel();
  for (instant now = 1'000; !handle.finished(); now += 500) {
    clock->set(now);
    std::this_thread::yield();
  }
  const auto problem = problem_of_run(handle);
  CHECK(problem.code == error_code::store_failed);
  CHECK(problem.message.find("within stop_patience_seconds (7) after the stop") !=
        std::string::npos);
  CHECK(problem.message.find("buyer on BTC") != std::string::npos);
  silence.open(); // the end of the runtime waits for the store
}
