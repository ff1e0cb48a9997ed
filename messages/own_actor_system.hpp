#pragma once

#include <cstddef>
#include <memory>

namespace caf {
class actor_system;
}

namespace backtest {

/// An actor system with its configuration, for programs that have none. Nothing is read from the
/// command line or from files.
class own_actor_system {
public:
  /// `threads`: of the scheduler; 0: as many as the machine has.
  explicit own_actor_system(std::size_t threads);
  ~own_actor_system();
  own_actor_system(const own_actor_system&) = delete;
  own_actor_system& operator=(const own_actor_system&) = delete;

  caf::actor_system& get() noexcept;

private:
  struct parts;
  std::unique_ptr<parts> parts_;
};

} // namespace backtest
