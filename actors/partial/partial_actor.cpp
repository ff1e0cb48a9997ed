#include "actors/partial/partial_actor.hpp"

#include "actors/partial/milestones.hpp"

namespace backtest {

namespace {

struct partial_state {
  self_pointer<partial_actor, partial_state> self = nullptr;
  milestones announced;

  void init() {}

  partial_actor::behavior_type make_behavior() {
    return {[this](const reach_milestones& message) {
      return milestones_reached{announced.reach(message.side, message.crossed)};
    }};
  }
};

} // namespace

partial_actor spawn_partial_client(caf::actor_system& system, const shared_census& census) {
  return spawn_actor<partial_state, partial_actor>(system, census);
}

} // namespace backtest
