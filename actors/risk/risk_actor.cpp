#include "actors/risk/risk_actor.hpp"

#include <optional>

namespace backtest {

namespace {

struct risk_state {
  self_pointer<risk_actor, risk_state> self = nullptr;
  std::optional<risk_arbiter> arbiter;
  std::vector<response_promise<risk_verdict>> waiting; ///< by participant

  void init(std::vector<risk_schema> profiles, std::vector<risk_participant> participants,
            run_mode mode) {
    waiting.resize(participants.size());
    arbiter.emplace(std::move(profiles), std::move(participants),
                    mode == run_mode::live ? callback_time::durable : callback_time::decided);
  }

  risk_actor::behavior_type make_behavior() {
    return {
        [this](const ask_risk_arbiter& message) -> caf::result<risk_verdict> {
          auto promise = promise_answer<risk_verdict>(self);
          waiting[message.participant] = promise;
          note_ends(message.participant, message.ends);
          arbiter->ask(message.participant, message.query);
          answer();
          return promise;
        },
        [this](const clock_promise& message) {
          note_ends(message.participant, message.ends);
          arbiter->promise(message.participant, message.clock);
          answer();
        },
        [this](const hold_position& message) {
          arbiter->hold(message.participant, message.position);
        },
        [this](const go_on_without& message) {
          arbiter->go_on_without(message.participant, message.clock);
          answer();
        },
        [this](announce_decisions& message) {
          return decisions_announced{arbiter->announce(std::move(message.of))};
        },
    };
  }

  void note_ends(std::size_t participant, const std::vector<instant>& ends) {
    for (const auto when : ends)
      arbiter->ended(participant, when);
  }

  void answer() {
    for (auto& [participant, verdict] : arbiter->decide())
      waiting[participant].deliver(std::move(verdict));
  }
};

} // namespace

risk_actor spawn_risk_client(caf::actor_system& system, const shared_census& census,
                             std::vector<risk_schema> profiles,
                             std::vector<risk_participant> participants, run_mode mode) {
  return spawn_actor<risk_state, risk_actor>(system, census, std::move(profiles),
                                             std::move(participants), mode);
}

} // namespace backtest
