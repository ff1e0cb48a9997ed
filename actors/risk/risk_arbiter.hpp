#pragma once

#include "actors/risk/risk_protocol.hpp"
#include "actors/risk/risk_schema.hpp"

#include <deque>
#include <functional>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

namespace backtest {

/// A run that asks the arbiter: its names, and the profiles it names in order.
struct risk_participant {
  shared_identity identity;
  std::vector<std::string> profiles;
  std::stop_token stop = {};   ///< no rule is asked for it any more
  std::stop_token halted = {}; ///< no callback is called for it any more
};

/// When callbacks of profiles are called: as soon as risk decided, or, live, once the decision is
/// durable.
enum class callback_time : std::uint8_t { decided, durable };

/// Judges the openings of every run that shares risk profiles, in the order of virtual time
/// (instant, strategy, symbol), whatever the order of arrival: an answer is held back until every
/// other run has promised to be past that instant. At one instant all ends come before all
/// openings. Plain code: one thread at a time, no clock.
class risk_arbiter {
public:
  using participant_id = std::size_t;

  struct decision {
    participant_id participant = 0;
    risk_verdict verdict;
  };

  /// Participants are known before the first instant. Throws `failure{not_found}` when a
  /// participant names a profile that is not among `profiles`.
  risk_arbiter(std::vector<risk_schema> profiles, std::vector<risk_participant> participants,
               callback_time callbacks = callback_time::decided);

  /// The participant asks, and waits. At most one question each at a time.
  void ask(participant_id participant, risk_query query);
  /// Its position ended at `when`; said before anything it does later.
  void ended(participant_id participant, instant when);
  /// It asks or ends nothing before `clock`; `end_of_time` once it is over, however that came.
  void promise(participant_id participant, instant clock);

  /// Live: a position it held when the node went down; before its first question.
  void hold(participant_id participant, active_position position);
  /// Live: the others need not wait for it before `clock`. Of no effect while its question waits.
  void go_on_without(participant_id participant, instant clock);

  /// Answers that can be given now, in order.
  std::vector<decision> decide();

  /// Live: calls what waits for the next so many decisions of each participant, in the order in
  /// which they were made, and returns what was thrown.
  std::vector<callback_failure> announce(std::vector<durable_decisions> durable);

  /// Positions a profile holds after the last decision; throws `failure{not_found}`.
  const std::vector<active_position>& positions(const std::string& profile) const;

private:
  struct holder {
    participant_id participant;
    std::optional<instant> ended_at;
  };
  struct profile_state {
    risk_schema schema;
    std::vector<active_position> positions; ///< in order of opening
    std::vector<holder> holders;            ///< who holds each of them
  };
  struct participant_state {
    shared_identity identity;
    std::vector<std::size_t> profiles;
    std::stop_token stop, halted;
    std::size_t rank = 0; ///< by strategy, then symbol, bytewise
    instant clock = INT64_MIN;
    std::optional<risk_query> query;
  };
  using key = std::pair<instant, std::size_t>;
  /// Callbacks of a decision that is not durable yet.
  struct waiting_callbacks {
    participant_id participant;
    instant when;
    std::vector<std::function<void()>> calls;
  };
  using risk_callback = std::function<void(const risk_question&)>;

  risk_verdict judge(participant_id participant, const risk_query& query);
  void tell(participant_id participant, const risk_query& query, const profile_state& profile,
            const risk_callback& callback, risk_verdict& verdict);
  void add(participant_id participant, const risk_query& query);
  void forget_ended(profile_state& profile, instant when);
  void set_clock(participant_id participant, instant clock);

  std::vector<profile_state> profiles_;
  std::vector<participant_state> participants_;
  std::vector<participant_id> by_rank_;
  std::set<key> questions_; ///< (instant, rank) of those that wait
  std::set<key> clocks_;    ///< (clock, participant) of those that run
  callback_time callback_time_;
  std::deque<waiting_callbacks> waiting_; ///< in order of decisions
};

} // namespace backtest
