#include "runtime/runtime_end.hpp"

#include "messages/own_actor_system.hpp"
#include "messages/thread_name.hpp"
#include "messages/worker_threads.hpp"
#include "runtime/runtime_core.hpp"

#include <system_error>
#include <thread>
#include <utility>

namespace backtest {

namespace {

/// An actor that lives until it is told to end: its system waits for it.
caf::actor spawn_holder(caf::actor_system& system) {
  return system.spawn(
      [](caf::event_based_actor*) -> caf::behavior { return {[](const batch_done&) {}}; });
}

/// On a thread of its own.
template <class Work>
void run_elsewhere(const shared_logger& log, Work work) {
  try {
    std::thread{[work = std::move(work)]() mutable {
      name_this_thread("backtest.end");
      work();
    }}.detach();
  } catch (const std::system_error&) {
    log->write(log_level::error, "runtime",
               "the runtime cannot end: it is let go of where its end is waited for, and there can "
               "be no thread to end it on",
               {});
    throw;
  }
}

void end_core(std::unique_ptr<runtime_core> core, caf::actor holder) {
  auto& system = core->system;
  core.reset();
  const calling_thread visit{system};
  end_actor(holder);
  holder = nullptr;
}

} // namespace

void end_runtime(std::unique_ptr<runtime_core> core, std::unique_ptr<own_actor_system> system) {
  const shared_logger log = core->log;
  if (core->callers->is_inside()) {
    core->begin_end();
    const calling_thread visit{core->system};
    auto holder = spawn_holder(core->system);
    run_elsewhere(log, [held = std::move(core), own = std::move(system),
                        holder = std::move(holder)]() mutable {
      end_core(std::move(held), std::move(holder));
      own.reset();
    });
    return;
  }
  const bool is_own_actor = system && looks_like_own_thread_of_actor(core->system);
  core.reset();
  if (is_own_actor) // the system waits for the actor
    run_elsewhere(log, [own = std::move(system)]() mutable { own.reset(); });
}

} // namespace backtest
