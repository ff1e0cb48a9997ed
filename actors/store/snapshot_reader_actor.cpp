#include "actors/store/snapshot_reader_actor.hpp"

#include <exception>
#include <utility>

namespace backtest {

namespace {

struct snapshot_reader_state {
  self_pointer<snapshot_reader_actor, snapshot_reader_state> self = nullptr;
  std::shared_ptr<const store> target;

  void init(std::shared_ptr<const store> given) { target = std::move(given); }

  snapshot_reader_actor::behavior_type make_behavior() {
    return {[this](const read_snapshot& message) -> store_answer {
      try {
        message.work(*target->snapshot());
        return {};
      } catch (const failure& caught) {
        return {caught.reason()};
      } catch (const std::exception& caught) {
        return {error{error_code::store_failed, caught.what()}};
      }
    }};
  }
};

} // namespace

snapshot_reader_actor spawn_snapshot_reader(caf::actor_system& system, const shared_census& census,
                                            std::shared_ptr<const store> target) {
  return spawn_actor<snapshot_reader_state, snapshot_reader_actor, caf::detached>(
      system, census, std::move(target));
}

snapshot_reader_actor spawn_scheduled_snapshot_reader(caf::actor_system& system,
                                                      const shared_census& census,
                                                      std::shared_ptr<const store> target) {
  return spawn_actor<snapshot_reader_state, snapshot_reader_actor>(system, census,
                                                                   std::move(target));
}

} // namespace backtest
