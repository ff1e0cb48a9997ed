#pragma once

#include <thread>
#include <vector>

namespace caf {
class actor_system;
}

namespace backtest {

/// The threads that the scheduled actors of a system share. Whoever waits there for an actor keeps
/// a thread from it, perhaps the only one. Of use as long as the system lives. Thread-safe.
class worker_threads {
public:
  explicit worker_threads(caf::actor_system& system);

  /// This thread is one of them; those of detached and of blocking actors are not.
  bool has_this_thread() const;

private:
  std::vector<std::thread::id> ids_; ///< empty: they are told by their name
};

/// This thread belongs to a detached or a blocking actor of the system, going by its name.
bool looks_like_own_thread_of_actor(caf::actor_system& system);

/// This thread is one that scheduled actors of whichever system share, going by its name.
bool looks_like_worker_thread();

} // namespace backtest
