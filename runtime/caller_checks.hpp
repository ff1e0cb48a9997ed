#pragma once

#include "messages/calling_place.hpp"
#include "messages/worker_threads.hpp"

#include <memory>
#include <string_view>

namespace backtest {

/// Keeps functions that wait from being called where they would wait for ever, or would as soon as
/// there are too few threads. Outlives its runtime where somebody holds a handle. Thread-safe.
class caller_checks {
public:
  /// `runtime`: as in `place_mark`.
  caller_checks(caf::actor_system& host, const void* runtime) : workers_(host), runtime_(runtime) {}

  /// Throws `failure{invalid_argument}`, which names the function, the place, and what to use
  /// there.
  void require_may_wait(std::string_view function, waiting_for what) const;
  bool may_wait(waiting_for what) const;
  /// This thread is inside of something that the end of the runtime waits for.
  bool is_inside() const;

private:
  std::optional<std::string> place_against(waiting_for what) const;

  worker_threads workers_;
  const void* runtime_;
};

using shared_caller_checks = std::shared_ptr<const caller_checks>;

} // namespace backtest
