#pragma once

#include "messages/caf.hpp"

#if !BACKTEST_CAF_MODERN // its test coordinator can be told what to run next

#include "tests/support/sanitizers.hpp"

#include <caf/scheduler/test_coordinator.hpp>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>

#include <doctest/doctest.h>

namespace backtest::testing {

/// An actor system on one thread that always runs the job a seed chooses: one message of one actor
/// at a time, any interleaving that threads could produce, and the same one again for the same seed.
class deterministic_system {
public:
  explicit deterministic_system(std::uint64_t seed) : random_(seed) {
    prepare_caf();
    configuration_.set("scheduler.policy", caf::atom("testing"));
    system_ = std::make_unique<caf::actor_system>(configuration_);
    jobs_ = dynamic_cast<caf::scheduler::test_coordinator*>(&system_->scheduler());
    REQUIRE(jobs_ != nullptr);
  }

  caf::actor_system& get() noexcept { return *system_; }

  /// A number below `bound`, from the same seed.
  std::size_t choose(std::size_t bound) { return static_cast<std::size_t>(random_() % bound); }
  bool one_in(std::size_t n) { return choose(n) == 0; }

  /// Lets one actor handle one message; false: nobody has any.
  bool step() {
    auto& jobs = jobs_->jobs;
    if (jobs.empty())
      return false;
    const auto chosen = jobs.begin() + static_cast<std::ptrdiff_t>(choose(jobs.size()));
    std::rotate(jobs.begin(), chosen, chosen + 1);
    jobs_->run_once();
    return true;
  }

  /// At most so many.
  void steps(std::size_t count) {
    while (count-- > 0 && step()) {
    }
  }

  /// Until nobody has anything to do.
  void run() {
    while (step()) {
    }
  }

  /// Lets every time-out that is set happen, the earliest first.
  void trigger_timeouts() { jobs_->trigger_timeouts(); }

  /// Asks from an actor of its own; the answer comes while jobs run, an error leaves it empty.
  template <class Answer, class Handle, class Message>
  std::shared_ptr<std::optional<Answer>> ask(const Handle& to, Message message) {
    auto answer = std::make_shared<std::optional<Answer>>();
    system_->spawn([=](caf::event_based_actor* self) {
      request(self, to, caf::infinite, message)
          .then([=](const Answer& value) { *answer = value; }, [](const caf::error&) {});
    });
    return answer;
  }

private:
  std::mt19937_64 random_;
  caf::actor_system_config configuration_;
  std::unique_ptr<caf::actor_system> system_;
  caf::scheduler::test_coordinator* jobs_ = nullptr;
};

/// Runs `test(system)` under every seed from 1 to `random_cases(count)`; a failing one is named.
template <class Test> void with_seeds(std::uint64_t count, Test&& test) {
  for (std::uint64_t seed = 1; seed <= random_cases(count); ++seed) {
    CAPTURE(seed);
    deterministic_system system{seed};
    test(system);
  }
}

} // namespace backtest::testing

#endif
