#pragma once

#include "messages/own_actor_system.hpp"
#include "tests/support/runtime_fixture.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <utility>

namespace backtest::testing {

/// Where a runtime lives.
struct host_kind {
  std::size_t threads = 1;
  bool is_foreign = false;
};

/// Repeats the test case that calls it in an actor system of the runtime's own and in one of the
/// test, each on one, two and eight threads.
inline host_kind every_host() {
  host_kind kind;
  SUBCASE("own system, 1 thread") { kind = {1, false}; }
  SUBCASE("own system, 2 threads") { kind = {2, false}; }
  SUBCASE("own system, 8 threads") { kind = {8, false}; }
  SUBCASE("foreign system, 1 thread") { kind = {1, true}; }
  SUBCASE("foreign system, 2 threads") { kind = {2, true}; }
  SUBCASE("foreign system, 8 threads") { kind = {8, true}; }
  return kind;
}

/// A runtime in an actor system of its own, or in one of ours that goes on when it ends.
class hosted_runtime {
public:
  explicit hosted_runtime(host_kind kind, runtime_options options = quiet()) {
    options.threads = kind.threads;
    if (kind.is_foreign) {
      host_.emplace(kind.threads);
      target_ = std::make_unique<runtime>(host_->get(), std::move(options));
    } else {
      target_ = std::make_unique<runtime>(std::move(options));
    }
  }

  runtime& operator*() { return *target_; }
  runtime* operator->() { return target_.get(); }
  void end_runtime() { target_.reset(); }
  void end_host() { host_.reset(); }

private:
  std::optional<own_actor_system> host_;
  std::unique_ptr<runtime> target_;
};

} // namespace backtest::testing
