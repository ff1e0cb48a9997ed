#include "actors/frame/frame_actor.hpp"

#include "messages/thrown_text.hpp"

namespace backtest {

namespace {

struct frame_state {
  self_pointer<frame_actor, frame_state> self = nullptr;
  frame_timeline answer;

  void init(const frame_schema& schema) {
    try {
      answer.instants = timeline_of(schema);
    } catch (const failure& caught) {
      answer.problem = caught.reason();
      return;
    }
    const auto& callback = schema.callbacks.on_timeframe;
    const auto& instants = answer.instants;
    const auto thrown = thrown_text([&] {
      if (callback)
        callback(instants.first, instants.last, instants.count());
    });
    if (thrown)
      answer.callback_problem =
          error{error_code::callback_failed,
                "frame " + schema.frame_name + ": on_timeframe threw: " + *thrown};
  }

  frame_actor::behavior_type make_behavior() {
    return {[this](const ask_timeline&) { return answer; }};
  }
};

} // namespace

frame_actor spawn_frame_client(caf::actor_system& system, const shared_census& census,
                               frame_schema schema) {
  return spawn_actor<frame_state, frame_actor>(system, census, std::move(schema));
}

} // namespace backtest
