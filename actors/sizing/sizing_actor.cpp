#include "actors/sizing/sizing_actor.hpp"

#include "actors/sizing/quantity.hpp"

namespace backtest {

namespace {

struct sizing_state {
  self_pointer<sizing_actor, sizing_state> self = nullptr;
  sizing_schema schema;
  std::function<void(error)> report;

  void init(sizing_schema sizing, std::function<void(error)> failure_report) {
    schema = std::move(sizing);
    report = std::move(failure_report);
  }

  sizing_actor::behavior_type make_behavior() {
    return {[this](const ask_position_size& message) {
      sized_position answer;
      try {
        answer.quantity = quantity_of(schema, message.request);
      } catch (const failure& caught) {
        answer.problem = caught.reason();
        return answer;
      }
      if (auto thrown = tell_calculated(schema, message.symbol, answer.quantity, message.request))
        report({error_code::callback_failed, *std::move(thrown)});
      return answer;
    }};
  }
};

} // namespace

sizing_actor spawn_sizing_client(caf::actor_system& system, const shared_census& census,
                                 sizing_schema schema, std::function<void(error)> report) {
  return spawn_actor<sizing_state, sizing_actor>(system, census, std::move(schema),
                                                 std::move(report));
}

} // namespace backtest
