#include "messages/worker_threads.hpp"

#include "messages/caf.hpp"
#include "messages/thread_name.hpp"

#include <algorithm>

#if !BACKTEST_CAF_MODERN
#include <caf/policy/work_sharing.hpp>
#include <caf/policy/work_stealing.hpp>
#include <caf/scheduler/coordinator.hpp>
#endif

namespace backtest {

#if BACKTEST_CAF_MODERN

// The scheduler does not show its threads, but gives them a name that no other thread of CAF has.
worker_threads::worker_threads(caf::actor_system&) {}

bool looks_like_worker_thread() { return name_of_this_thread() == "caf.worker"; }

bool looks_like_own_thread_of_actor(caf::actor_system&) {
  return name_of_this_thread() == "caf.thread";
}

#else

namespace {

template <class Policy>
std::vector<std::thread::id> workers_under(caf::actor_system& system) {
  std::vector<std::thread::id> ids;
  if (auto* scheduler = dynamic_cast<caf::scheduler::coordinator<Policy>*>(&system.scheduler()))
    for (std::size_t worker = 0; worker < scheduler->num_workers(); ++worker)
      ids.push_back(scheduler->worker_by_id(worker)->get_thread().get_id());
  return ids;
}

} // namespace

worker_threads::worker_threads(caf::actor_system& system)
    : ids_(workers_under<caf::policy::work_stealing>(system)) {
  if (ids_.empty())
    ids_ = workers_under<caf::policy::work_sharing>(system);
}

// The thread of CAF's I/O module has the same name, and must not be blocked either. A thread that a
// scheduled actor started goes by it too, but knows no actor system; so does one of CAF's own once
// a `calling_thread` of another system has let go of it, which is why the answer is kept.
bool looks_like_worker_thread() {
  thread_local bool is_known = false;
  if (!is_known)
    is_known =
        caf::logger::current_logger() != nullptr && name_of_this_thread() == "caf.multiplexer";
  return is_known;
}

bool looks_like_own_thread_of_actor(caf::actor_system& system) {
  return caf::logger::current_logger() == &system.logger() && name_of_this_thread() == "caf.actor";
}

#endif

bool worker_threads::has_this_thread() const {
  if (ids_.empty())
    return looks_like_worker_thread();
  return std::find(ids_.begin(), ids_.end(), std::this_thread::get_id()) != ids_.end();
}

} // namespace backtest
