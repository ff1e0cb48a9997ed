#include "actors/frame/frame_actor.hpp"

#include "messages/calling_place.hpp"
#include "messages/thrown_text.hpp"

#include <utility>

namespace backtest {

namespace {

struct frame_state {
  self_pointer<frame_actor, frame_state> self = nullptr;
  frame_schema schema;
  frame_timeline answer;
  bool is_told = false; ///< to the schema's callback

  void init(frame_schema given) {
    schema = std::move(given);
    try {
      answer.instants = timeline_of(schema);
    } catch (const failure& caught) {
      answer.problem = caught.reason();
    }
  }

  void tell() {
    const auto& callback = schema.callbacks.on_timeframe;
    if (answer.problem || !callback || std::exchange(is_told, true))
      return;
    const auto& instants = answer.instants;
    const place_mark inside{calling_place::frame, nullptr, schema.frame_name};
    const auto thrown =
        thrown_text([&] { callback(instants.first, instants.last, instants.count()); });
    if (thrown)
      answer.callback_problem =
          error{error_code::callback_failed,
                "frame " + schema.frame_name + ": on_timeframe threw: " + *thrown};
  }

  frame_actor::behavior_type make_behavior() {
    return {[this](const ask_timeline& message) {
      if (!message.awaited.is_nobody())
        tell();
      return answer;
    }};
  }
};

} // namespace

frame_actor spawn_frame_client(caf::actor_system& system, const shared_census& census,
                               frame_schema schema) {
  return spawn_actor<frame_state, frame_actor>(system, census, std::move(schema));
}

} // namespace backtest
