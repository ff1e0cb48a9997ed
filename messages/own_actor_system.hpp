#pragma once

#include <cstddef>
#include <functional>
#include <memory>

namespace caf {
class actor_system;
class actor_system_config;
} // namespace caf

namespace backtest {

/// An actor system with its configuration, for programs that have none. Nothing is read from the
/// command line or from files.
class own_actor_system {
public:
  /// `threads`: of the scheduler; 0: as many as the machine has. `prepare` may add to the
  /// configuration. Throws `failure(actor_failed)` where the process may have too little memory, or
  /// too few threads or open files.
  explicit own_actor_system(std::size_t threads,
                            const std::function<void(caf::actor_system_config&)>& prepare = {});
  ~own_actor_system();
  own_actor_system(const own_actor_system&) = delete;
  own_actor_system& operator=(const own_actor_system&) = delete;

  caf::actor_system& get() noexcept;

private:
  struct parts;
  std::unique_ptr<parts> parts_;
};

} // namespace backtest
