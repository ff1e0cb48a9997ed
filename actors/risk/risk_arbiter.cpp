#include "actors/risk/risk_arbiter.hpp"

#include "messages/calling_place.hpp"
#include "messages/error.hpp"

#include <algorithm>
#include <numeric>
#include <tuple>
#include <utility>

#include <fmt/format.h>

namespace backtest {

namespace {

constexpr const char* not_an_exception = "something that is not a std::exception";

/// Text of whatever `action` throws; "" when it returns.
template <class Action> std::string text_of_throw(Action&& action) {
  try {
    action();
    return {};
  } catch (const std::exception& caught) {
    return *caught.what() != '\0' ? caught.what() : "an exception without a text";
  } catch (...) {
    return not_an_exception;
  }
}

risk_verdict stopped_verdict() {
  risk_verdict refusal;
  refusal.allowed = false;
  refusal.stopped = true;
  return refusal;
}

template <class Profiles> std::size_t index_of(const Profiles& profiles, const std::string& name) {
  const auto found = std::find_if(profiles.begin(), profiles.end(), [&](const auto& profile) {
    return profile.schema.risk_name == name;
  });
  if (found == profiles.end())
    throw failure(error_code::not_found, fmt::format("risk {} not found source=risk_arbiter", name));
  return static_cast<std::size_t>(found - profiles.begin());
}

} // namespace

risk_arbiter::risk_arbiter(std::vector<risk_schema> profiles,
                           std::vector<risk_participant> participants, callback_time callbacks)
    : callback_time_(callbacks) {
  for (auto& schema : profiles)
    profiles_.push_back({std::move(schema), {}, {}});
  for (auto& participant : participants) {
    participant_state state;
    for (const auto& name : participant.profiles)
      state.profiles.push_back(index_of(profiles_, name));
    state.identity = std::move(participant.identity);
    state.stop = std::move(participant.stop);
    state.halted = std::move(participant.halted);
    participants_.push_back(std::move(state));
  }
  by_rank_.resize(participants_.size());
  std::iota(by_rank_.begin(), by_rank_.end(), participant_id{0});
  std::sort(by_rank_.begin(), by_rank_.end(), [this](participant_id left, participant_id right) {
    const auto& a = *participants_[left].identity;
    const auto& b = *participants_[right].identity;
    return std::tie(a.strategy_name, a.symbol) < std::tie(b.strategy_name, b.symbol);
  });
  for (std::size_t rank = 0; rank < by_rank_.size(); ++rank)
    participants_[by_rank_[rank]].rank = rank;
  for (participant_id id = 0; id < participants_.size(); ++id)
    clocks_.emplace(participants_[id].clock, id);
}

void risk_arbiter::ask(participant_id participant, risk_query query) {
  auto& asking = participants_.at(participant);
  clocks_.erase({asking.clock, participant});
  asking.clock = query.when;
  questions_.emplace(query.when, asking.rank);
  asking.query = std::move(query);
}

void risk_arbiter::ended(participant_id participant, instant when) {
  for (const auto index : participants_.at(participant).profiles)
    for (auto& held : profiles_[index].holders)
      if (held.participant == participant && !held.ended_at)
        held.ended_at = when;
}

void risk_arbiter::promise(participant_id participant, instant clock) {
  auto& running = participants_.at(participant);
  if (running.query) { // it died while waiting: nobody is left to be answered
    questions_.erase({running.query->when, running.rank});
    running.query.reset();
    clocks_.emplace(running.clock, participant);
  }
  set_clock(participant, std::max(running.clock, clock));
}

void risk_arbiter::hold(participant_id participant, active_position position) {
  for (const auto index : participants_.at(participant).profiles) {
    profiles_[index].positions.push_back(position);
    profiles_[index].holders.push_back({participant, std::nullopt});
  }
}

void risk_arbiter::go_on_without(participant_id participant, instant clock) {
  if (const auto& late = participants_.at(participant); !late.query)
    set_clock(participant, std::max(late.clock, clock));
}

void risk_arbiter::set_clock(participant_id participant, instant clock) {
  auto& running = participants_[participant];
  clocks_.erase({running.clock, participant});
  running.clock = clock;
  clocks_.emplace(clock, participant);
}

std::vector<risk_arbiter::decision> risk_arbiter::decide() {
  std::vector<decision> decisions;
  while (!questions_.empty()) {
    const auto [when, rank] = *questions_.begin();
    // Somebody may still end or open at this instant or before it.
    if (!clocks_.empty() && clocks_.begin()->first <= when)
      break;
    questions_.erase(questions_.begin());
    const auto id = by_rank_[rank];
    auto& asking = participants_[id];
    const auto query = *std::exchange(asking.query, std::nullopt);
    auto verdict = judge(id, query);
    if (verdict.allowed && query.adds)
      add(id, query);
    set_clock(id, verdict.allowed ? query.clock_if_allowed : query.clock_if_rejected);
    decisions.push_back({id, std::move(verdict)});
  }
  return decisions;
}

risk_verdict risk_arbiter::judge(participant_id participant, const risk_query& query) {
  const auto& asking = participants_[participant];
  risk_verdict verdict;
  for (const auto index : asking.profiles) {
    auto& profile = profiles_[index];
    forget_ended(profile, query.when);
    const risk_question question{*asking.identity, query.request, query.price, query.when,
                                 profile.positions};
    for (const auto& rule : profile.schema.validations) {
      std::optional<std::string> reason;
      if (asking.stop.stop_requested())
        return stopped_verdict();
      const place_mark inside{calling_place::risk_profile, nullptr, profile.schema.risk_name};
      const auto thrown = text_of_throw([&] { reason = rule.validate(question); });
      if (asking.stop.stop_requested())
        return stopped_verdict();
      if (thrown.empty() && !reason)
        continue;
      verdict.allowed = false;
      verdict.risk_name = profile.schema.risk_name;
      verdict.validation_error = thrown;
      verdict.active_position_count = static_cast<std::int64_t>(profile.positions.size());
      verdict.comment = !rule.note.empty()            ? rule.note
                        : reason && !reason->empty()  ? *reason
                        : !thrown.empty()             ? thrown
                                                      : "N/A";
      tell(participant, query, profile, profile.schema.callbacks.on_rejected, verdict);
      return verdict;
    }
  }
  for (const auto index : asking.profiles)
    tell(participant, query, profiles_[index], profiles_[index].schema.callbacks.on_allowed,
         verdict);
  return verdict;
}

void risk_arbiter::tell(participant_id participant, const risk_query& query,
                        const profile_state& profile, const risk_callback& callback,
                        risk_verdict& verdict) {
  if (!callback || participants_[participant].halted.stop_requested())
    return;
  const auto& identity = participants_[participant].identity;
  if (callback_time_ == callback_time::decided) {
    const place_mark inside{calling_place::risk_profile, nullptr, profile.schema.risk_name};
    if (auto thrown = text_of_throw([&] {
          callback({*identity, query.request, query.price, query.when, profile.positions});
        });
        !thrown.empty())
      verdict.callback_error = std::move(thrown);
    return;
  }
  if (!std::exchange(verdict.has_waiting_callbacks, true))
    waiting_.push_back({participant, query.when, {}});
  waiting_.back().calls.emplace_back(
      [&callback, identity, request = query.request, price = query.price, when = query.when,
       positions = profile.positions, &name = profile.schema.risk_name] {
        const place_mark inside{calling_place::risk_profile, nullptr, name};
        callback({*identity, request, price, when, positions});
      });
}

std::vector<callback_failure> risk_arbiter::announce(std::vector<durable_decisions> durable) {
  std::vector<callback_failure> failures;
  std::deque<waiting_callbacks> later;
  for (auto& waiting : std::exchange(waiting_, {})) {
    const auto found =
        std::find_if(durable.begin(), durable.end(), [&](const durable_decisions& item) {
          return item.participant == waiting.participant && item.count > 0;
        });
    if (found == durable.end()) {
      later.push_back(std::move(waiting));
      continue;
    }
    --found->count;
    for (const auto& call : waiting.calls) {
      if (participants_[waiting.participant].halted.stop_requested())
        break;
      if (auto thrown = text_of_throw(call); !thrown.empty())
        failures.push_back({waiting.participant, waiting.when, std::move(thrown)});
    }
  }
  waiting_ = std::move(later);
  return failures;
}

void risk_arbiter::add(participant_id participant, const risk_query& query) {
  const auto& asking = participants_[participant];
  for (const auto index : asking.profiles) {
    profiles_[index].positions.push_back({asking.identity->strategy_name,
                                          asking.identity->exchange_name, asking.identity->symbol,
                                          query.request.position,
                                          query.request.price_open.value_or(query.price),
                                          query.when});
    profiles_[index].holders.push_back({participant, std::nullopt});
  }
}

void risk_arbiter::forget_ended(profile_state& profile, instant when) {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < profile.holders.size(); ++i) {
    if (profile.holders[i].ended_at && *profile.holders[i].ended_at <= when)
      continue;
    if (kept != i) {
      profile.positions[kept] = std::move(profile.positions[i]);
      profile.holders[kept] = profile.holders[i];
    }
    ++kept;
  }
  profile.positions.resize(kept);
  profile.holders.resize(kept);
}

const std::vector<active_position>& risk_arbiter::positions(const std::string& profile) const {
  return profiles_[index_of(profiles_, profile)].positions;
}

} // namespace backtest
