#include "messages/caf.hpp"
#include "messages/own_actor_system.hpp"
#include "messages/process_limits.hpp"

#include <algorithm>
#include <thread>

namespace backtest {

struct own_actor_system::parts {
  caf::actor_system_config configuration;
  std::unique_ptr<caf::actor_system> system;
};

own_actor_system::own_actor_system(
    std::size_t threads, const std::function<void(caf::actor_system_config&)>& prepare)
    : parts_(std::make_unique<parts>()) {
  prepare_caf();
  const calling_thread visit; // may be ended from another thread
  // CAF would start at least four.
  if (threads == 0)
    threads = std::max(std::thread::hardware_concurrency(), 1U);
  // CAF ends the process when one of its threads cannot be started. Besides those of the scheduler
  // it has a few of its own, as have actors that block.
  constexpr std::size_t other_threads = 16;
  constexpr std::size_t files = 48;
  require_room_for(threads + other_threads, files);
  parts_->configuration.set(std::string{max_threads_option}, static_cast<std::int64_t>(threads));
  tune_scheduler(parts_->configuration);
  if (prepare)
    prepare(parts_->configuration);
  parts_->system = std::make_unique<caf::actor_system>(parts_->configuration);
}

own_actor_system::~own_actor_system() = default;

caf::actor_system& own_actor_system::get() noexcept { return *parts_->system; }

} // namespace backtest
