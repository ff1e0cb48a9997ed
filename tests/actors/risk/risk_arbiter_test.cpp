#include "actors/risk/risk_arbiter.hpp"

#include "messages/error.hpp"
#include "tests/support/random_scenario.hpp"

#include <algorithm>
#include <stdexcept>
#include <tuple>

#include <doctest/doctest.h>

using namespace backtest;
using namespace backtest::testing;

namespace {

shared_identity named(std::string strategy, std::string symbol = "BTC") {
  return std::make_shared<const run_identity>(
      run_identity{std::move(symbol), std::move(strategy), "paper", "frame", run_mode::backtest});
}

risk_query opening(instant when) {
  risk_query query;
  query.when = when;
  query.adds = true;
  query.price = 100;
  query.clock_if_allowed = query.clock_if_rejected = when + 1;
  return query;
}

risk_query check(instant when) {
  auto query = opening(when);
  query.adds = false;
  return query;
}

risk_schema with_rules(std::string name, std::vector<risk_validation> rules) {
  risk_schema schema;
  schema.risk_name = std::move(name);
  schema.validations = std::move(rules);
  return schema;
}

/// Participants a, b, c ... that all name the same profiles.
std::vector<risk_participant> participants(std::size_t count, const texts& profiles) {
  std::vector<risk_participant> list;
  for (std::size_t i = 0; i < count; ++i)
    list.push_back({named(std::string(1, static_cast<char>('a' + i))), profiles});
  return list;
}

using order = std::vector<std::pair<std::size_t, bool>>;

order answers(const std::vector<risk_arbiter::decision>& decisions) {
  order list;
  for (const auto& decision : decisions)
    list.emplace_back(decision.participant, decision.verdict.allowed);
  return list;
}

/// One participant alone asks one question of one profile.
risk_verdict judged(risk_schema schema) {
  const auto name = schema.risk_name;
  risk_arbiter arbiter{{std::move(schema)}, participants(1, {name})};
  arbiter.ask(0, opening(10));
  return arbiter.decide().at(0).verdict;
}

} // namespace

TEST_CASE("risk arbiter: a participant that names an unknown profile is refused") {
  CHECK_THROWS_WITH_AS(risk_arbiter({at_most(1)}, participants(1, {"other"})),
                       "risk other not found source=risk_arbiter", failure);
  risk_arbiter arbiter{{at_most(1)}, participants(1, {"cap"})};
  CHECK(arbiter.positions("cap").empty());
  CHECK_THROWS_AS(arbiter.positions("other"), failure);
}

TEST_CASE("risk arbiter: an answer waits until every other participant is past the instant") {
  risk_arbiter arbiter{{at_most(1)}, participants(3, {"cap"})};
  arbiter.ask(1, opening(10));
  CHECK(arbiter.decide().empty());
  arbiter.promise(0, 10); // at 10 it may still ask
  arbiter.promise(2, 11);
  CHECK(arbiter.decide().empty());
  arbiter.promise(0, 11);
  CHECK(answers(arbiter.decide()) == order{{1, true}});
}

TEST_CASE("risk arbiter: two strategies never both take the last slot, whoever arrives first") {
  for (const bool swapped : {false, true}) {
    risk_arbiter arbiter{{at_most(1)}, participants(2, {"cap"})};
    arbiter.ask(swapped ? 1 : 0, opening(10));
    CHECK(arbiter.decide().empty());
    arbiter.ask(swapped ? 0 : 1, opening(10));
    CHECK(answers(arbiter.decide()) == order{{0, true}, {1, false}});
    CHECK(arbiter.positions("cap").size() == 1);
  }
}

TEST_CASE("risk arbiter: the earlier instant goes first, whatever the names") {
  risk_arbiter arbiter{{at_most(1)}, participants(2, {"cap"})};
  arbiter.ask(0, opening(11));
  arbiter.ask(1, opening(10));
  CHECK(answers(arbiter.decide()) == order{{1, true}});
  arbiter.promise(1, 12);
  CHECK(answers(arbiter.decide()) == order{{0, false}});
}

TEST_CASE("risk arbiter: strategies before symbols, both bytewise") {
  risk_arbiter arbiter{{at_most(9)},
                       {{named("b", "A"), {"cap"}},
                        {named("a", "b"), {"cap"}},
                        {named("a", "B"), {"cap"}},
                        {named("B", "z"), {"cap"}}}};
  for (std::size_t id = 0; id < 4; ++id)
    arbiter.ask(id, opening(10));
  CHECK(answers(arbiter.decide()) == order{{3, true}, {2, true}, {1, true}, {0, true}});
}

TEST_CASE("risk arbiter: at one instant all ends come before all openings") {
  risk_arbiter arbiter{{at_most(1)}, participants(2, {"cap"})};
  arbiter.promise(0, 11);
  arbiter.ask(1, opening(10));
  CHECK(answers(arbiter.decide()) == order{{1, true}});
  arbiter.ask(0, opening(20));
  CHECK(arbiter.decide().empty()); // b may still end at 20
  arbiter.ended(1, 20);
  arbiter.promise(1, 21);
  CHECK(answers(arbiter.decide()) == order{{0, true}});
}

TEST_CASE("risk arbiter: an end that is told early still counts at the instants before it") {
  risk_arbiter arbiter{{at_most(1)}, participants(2, {"cap"})};
  arbiter.promise(0, 11);
  arbiter.ask(1, opening(10));
  arbiter.decide();
  arbiter.ended(1, 30); // it runs ahead
  arbiter.promise(1, end_of_time);
  arbiter.ask(0, opening(29));
  CHECK(answers(arbiter.decide()) == order{{0, false}});
  arbiter.ask(0, opening(30));
  CHECK(answers(arbiter.decide()) == order{{0, true}});
}

TEST_CASE("risk arbiter: an end told twice, or without a position, changes nothing") {
  risk_arbiter arbiter{{at_most(2)}, participants(2, {"cap"})};
  arbiter.ended(0, 5); // it holds nothing
  arbiter.ask(0, opening(10));
  arbiter.promise(1, 40);
  CHECK(answers(arbiter.decide()) == order{{0, true}});
  arbiter.ended(0, 20);
  arbiter.ended(0, 25); // the first instant counts
  arbiter.ask(0, opening(20));
  CHECK(answers(arbiter.decide()) == order{{0, true}});
  CHECK(arbiter.positions("cap").size() == 1);
  CHECK(arbiter.positions("cap")[0].opened_at == 20);
}

TEST_CASE("risk arbiter: a check adds nothing") {
  risk_arbiter arbiter{{at_most(1)}, participants(1, {"cap"})};
  arbiter.ask(0, check(10));
  CHECK(answers(arbiter.decide()) == order{{0, true}});
  CHECK(arbiter.positions("cap").empty());
}

TEST_CASE("risk arbiter: a position holds names, side, entry and instant") {
  risk_arbiter arbiter{{at_most(5)}, participants(2, {"cap"})};
  auto given = opening(10);
  given.request.price_open = 95;
  given.request.position = position_side::short_side;
  arbiter.ask(0, given);
  arbiter.ask(1, opening(10));
  arbiter.decide();
  CHECK(arbiter.positions("cap") ==
        std::vector<active_position>{{"a", "paper", "BTC", position_side::short_side, 95, 10},
                                     {"b", "paper", "BTC", position_side::long_side, 100, 10}});
}

TEST_CASE("risk arbiter: one that dies while it waits is not answered and holds nobody up") {
  risk_arbiter arbiter{{at_most(1)}, participants(3, {"cap"})};
  arbiter.ask(0, opening(10));
  arbiter.ask(1, opening(10));
  arbiter.promise(0, end_of_time); // dead
  CHECK(arbiter.decide().empty()); // c has promised nothing
  arbiter.promise(2, end_of_time);
  CHECK(answers(arbiter.decide()) == order{{1, true}});
}

TEST_CASE("risk arbiter: the position of one that died stays, nobody knows that it ended") {
  risk_arbiter arbiter{{at_most(1)}, participants(2, {"cap"})};
  arbiter.ask(0, opening(10));
  arbiter.promise(1, 11);
  arbiter.decide();
  arbiter.promise(0, end_of_time);
  arbiter.ask(1, opening(20));
  CHECK(answers(arbiter.decide()) == order{{1, false}});
}

TEST_CASE("risk arbiter: a promise never goes back") {
  risk_arbiter arbiter{{at_most(1)}, participants(2, {"cap"})};
  arbiter.promise(1, 50);
  arbiter.promise(1, 5);
  arbiter.ask(0, opening(49));
  CHECK(answers(arbiter.decide()) == order{{0, true}});
}

TEST_CASE("risk arbiter: an answered participant is bound by the clock its answer gave it") {
  risk_arbiter arbiter{{at_most(1)}, participants(2, {"cap"})};
  auto query = opening(10);
  query.clock_if_allowed = 100;
  arbiter.ask(0, query);
  arbiter.ask(1, opening(60));
  CHECK(answers(arbiter.decide()) == order{{0, true}, {1, false}});
  query = opening(70);
  query.clock_if_rejected = 200;
  arbiter.ask(1, query);
  CHECK(answers(arbiter.decide()) == order{{1, false}}); // a neither asks nor ends before 100
}

TEST_CASE("risk arbiter, several profiles: all must allow, the first rejection wins, nothing is "
          "added unless all allow") {
  risk_arbiter arbiter{{at_most(1, "one"), at_most(0, "none"), at_most(0, "last")},
                       {{named("a"), {"one", "none", "last"}}, {named("b"), {"one"}}}};
  arbiter.ask(0, opening(10));
  arbiter.ask(1, opening(10));
  const auto decisions = arbiter.decide();
  REQUIRE(decisions.size() == 2);
  CHECK(decisions[0].verdict.risk_name == "none");
  CHECK_FALSE(decisions[0].verdict.allowed);
  CHECK(decisions[1].verdict.allowed);
  CHECK(arbiter.positions("one").size() == 1);
  CHECK(arbiter.positions("none").empty());
}

TEST_CASE("risk arbiter: active_position_count is that of the rejecting profile at that instant") {
  risk_arbiter arbiter{
      {at_most(9, "wide"), at_most(1, "narrow")},
      {{named("a"), {"wide"}}, {named("b"), {"wide", "narrow"}}, {named("c"), {"wide", "narrow"}}}};
  for (std::size_t id = 0; id < 3; ++id)
    arbiter.ask(id, opening(10));
  const auto decisions = arbiter.decide();
  CHECK(answers(decisions) == order{{0, true}, {1, true}, {2, false}});
  CHECK(decisions[2].verdict.risk_name == "narrow");
  CHECK(decisions[2].verdict.active_position_count == 1);
}

TEST_CASE("risk arbiter: comments and exceptions") {
  const auto says = [](std::optional<std::string> reason) {
    return [reason](const risk_question&) { return reason; };
  };
  const auto throws = [](const char* text) {
    return [text](const risk_question&) -> std::optional<std::string> {
      throw std::runtime_error(text);
    };
  };
  CHECK(judged(with_rules("r", {})).allowed);
  CHECK(judged(with_rules("r", {{says({}), "note"}})).allowed);
  auto verdict = judged(with_rules("r", {{says({}), ""}, {says("reason"), "note"}}));
  CHECK(verdict.comment == "note");
  CHECK(verdict.validation_error == "");
  CHECK(judged(with_rules("r", {{says("reason"), ""}})).comment == "reason");
  CHECK(judged(with_rules("r", {{says(""), ""}})).comment == "N/A");
  verdict = judged(with_rules("r", {{throws("broken"), "note"}, {says("never asked"), ""}}));
  CHECK_FALSE(verdict.allowed);
  CHECK(verdict.comment == "note");
  CHECK(verdict.validation_error == "broken");
  CHECK(judged(with_rules("r", {{throws("broken"), ""}})).comment == "broken");
  CHECK_FALSE(judged(with_rules("r", {{throws(""), ""}})).validation_error.empty());
  verdict = judged(
      with_rules("r", {{[](const risk_question&) -> std::optional<std::string> { throw 7; }, ""}}));
  CHECK_FALSE(verdict.allowed);
  CHECK_FALSE(verdict.validation_error.empty());
}

TEST_CASE("risk arbiter: on_allowed and on_rejected are told, what they throw changes no answer") {
  texts told;
  auto schema = at_most(1);
  schema.callbacks.on_allowed = [&](const risk_question& question) {
    told.push_back("allowed " + question.run.strategy_name);
    throw std::runtime_error("callback broken");
  };
  schema.callbacks.on_rejected = [&](const risk_question& question) {
    told.push_back("rejected " + question.run.strategy_name);
  };
  risk_arbiter arbiter{{schema}, participants(2, {"cap"})};
  arbiter.ask(0, opening(10));
  arbiter.ask(1, opening(10));
  const auto decisions = arbiter.decide();
  CHECK(answers(decisions) == order{{0, true}, {1, false}});
  CHECK(decisions[0].verdict.callback_error == "callback broken");
  CHECK(decisions[1].verdict.callback_error == "");
  CHECK(told == texts{"allowed a", "rejected b"});
}

TEST_CASE("risk arbiter, live: callbacks wait until the decision is durable, with what risk saw") {
  texts told;
  const auto note = [&told](std::string what) {
    return [&told, what](const risk_question& question) {
      told.push_back(what + " " + question.run.strategy_name + " " +
                     std::to_string(question.timestamp) + " among " +
                     std::to_string(question.active_positions.size()));
      if (question.run.strategy_name == "b")
        throw std::runtime_error("callback broken");
    };
  };
  auto schema = at_most(1);
  schema.callbacks.on_allowed = note("allowed");
  schema.callbacks.on_rejected = note("rejected");
  risk_arbiter arbiter{{schema}, participants(3, {"cap"}), callback_time::durable};
  for (std::size_t id = 0; id < 3; ++id)
    arbiter.ask(id, opening(10));
  for (const auto& decision : arbiter.decide()) {
    CHECK(decision.verdict.has_waiting_callbacks);
    CHECK(decision.verdict.callback_error.empty());
  }
  arbiter.ended(0, 11);
  for (std::size_t id = 0; id < 3; ++id)
    arbiter.ask(id, opening(11));
  CHECK(arbiter.decide().size() == 3);
  CHECK(told.empty());

  // The first decisions of a and b are durable, whoever is named first.
  const auto failures = arbiter.announce({{1, 1}, {0, 1}});
  CHECK(told == texts{"allowed a 10 among 0", "rejected b 10 among 1"});
  CHECK(failures == std::vector<callback_failure>{{1, 10, "callback broken"}});
  told.clear();
  CHECK(arbiter.announce({{2, 2}}).empty());
  CHECK(told == texts{"rejected c 10 among 1", "rejected c 11 among 1"});
  told.clear();
  arbiter.announce({{0, 1}, {1, 1}, {2, 1}});
  CHECK(told == texts{"allowed a 11 among 0", "rejected b 11 among 1"});
  CHECK(arbiter.announce({{0, 1}}).empty()); // nothing is left
}

TEST_CASE("risk arbiter, live: without callbacks nothing waits") {
  risk_arbiter arbiter{{at_most(1)}, participants(1, {"cap"}), callback_time::durable};
  arbiter.ask(0, opening(10));
  CHECK_FALSE(arbiter.decide().at(0).verdict.has_waiting_callbacks);
}

// -- against an oracle
// ---------------------------------------------------------------------------------

namespace {

/// What a participant does depends on its own answers alone; how messages interleave does not.
struct actor_script {
  shared_identity identity;
  texts profiles;
  std::uint64_t salt = 0;
  instant begins = 0;
  std::size_t questions = 0;              ///< then it is over
  std::optional<std::size_t> dies_asking; ///< at this question, before it is answered
  bool dies_holding = false; ///< after its last question, without telling the end of its position

  mixer random_at(std::size_t question) const { return {salt, question}; }
  bool adds(std::size_t question) const { return random_at(question).chance(0.75); }
  instant next_after(std::size_t question, instant when) const {
    auto random = random_at(question);
    random.next();
    return when + random.between(1, 6);
  }
};

struct world {
  std::vector<risk_schema> profiles;
  std::vector<actor_script> actors;
  std::shared_ptr<texts> heard = std::make_shared<texts>(); ///< every call of a rule
};

std::string verdict_text(const actor_script& actor, instant when, const risk_verdict& verdict) {
  return fmt::format("{} {} {} {} {} [{}] {} {}", when, actor.identity->strategy_name,
                     actor.identity->symbol, verdict.allowed, verdict.risk_name, verdict.comment,
                     verdict.active_position_count, verdict.validation_error);
}

world random_world(std::uint64_t seed) {
  mixer random{seed, 5};
  world made;
  texts names;
  const auto profiles = static_cast<std::size_t>(random.between(1, 4));
  for (std::size_t i = 0; i < profiles; ++i) {
    names.push_back(std::string(1, static_cast<char>('p' + i)));
    risk_schema schema;
    schema.risk_name = names.back();
    const std::int64_t rules = random.between(0, 3);
    for (std::int64_t rule = 0; rule < rules; ++rule) {
      const auto cap = static_cast<std::size_t>(random.between(1, 4));
      const auto salt = random.next();
      schema.validations.push_back(
          {[heard = made.heard, cap,
            salt](const risk_question& question) -> std::optional<std::string> {
             auto text = fmt::format("{} {} {}:", question.timestamp, question.run.strategy_name,
                                     question.run.symbol);
             for (const auto& held : question.active_positions)
               text += fmt::format(" {}/{}@{}", held.strategy_name, held.symbol, held.opened_at);
             heard->push_back(text);
             mixer mood{salt, hash_of(text)};
             if (mood.chance(0.05))
               throw std::runtime_error("thrown");
             if (mood.chance(0.05))
               return "";
             if (question.active_positions.size() >= cap)
               return fmt::format("{} are enough", cap);
             return std::nullopt;
           },
           random.chance(0.3) ? "note" : ""});
    }
    made.profiles.push_back(std::move(schema));
  }
  const auto actors = static_cast<std::size_t>(random.between(1, 7));
  for (std::size_t i = 0; i < actors; ++i) {
    actor_script actor;
    actor.identity =
        named(std::string(1, static_cast<char>('A' + random.below(2))), fmt::format("{}", i));
    for (const auto& name : names)
      if (random.chance(0.6))
        actor.profiles.push_back(name);
    std::reverse(actor.profiles.begin(), actor.profiles.end());
    actor.salt = random.next();
    actor.begins = random.between(0, 8);
    actor.questions = static_cast<std::size_t>(random.between(0, 8));
    if (random.chance(0.15) && actor.questions > 0)
      actor.dies_asking = random.below(actor.questions);
    actor.dies_holding = random.chance(0.15);
    made.actors.push_back(std::move(actor));
  }
  return made;
}

risk_query query_of(const actor_script& actor, std::size_t question, instant when) {
  auto query = actor.adds(question) ? opening(when) : check(when);
  // The next thing it does, whichever way the answer goes, is not before this.
  query.clock_if_allowed = query.clock_if_rejected = actor.next_after(question, when);
  return query;
}

/// Instant by instant, ends first, then by strategy and symbol; no promises, no arrival.
texts oracle(const world& made) {
  struct state {
    instant next;
    std::size_t question = 0;
    bool holds = false, over = false;
  };
  std::vector<state> states;
  for (const auto& actor : made.actors)
    states.push_back({actor.begins});
  std::map<std::string, std::vector<std::pair<std::size_t, active_position>>> held;
  texts told;
  for (instant when = 0; when < 200; ++when) {
    for (std::size_t id = 0; id < states.size(); ++id) {
      auto& now = states[id];
      const auto& actor = made.actors[id];
      if (now.over || now.next != when)
        continue;
      const bool last = now.question >= actor.questions;
      if (now.holds && !(last && actor.dies_holding)) {
        now.holds = false;
        for (auto& [name, list] : held)
          std::erase_if(list, [id](const auto& item) { return item.first == id; });
      }
      now.over = last;
    }
    std::vector<std::size_t> asking;
    for (std::size_t id = 0; id < states.size(); ++id)
      if (!states[id].over && states[id].next == when)
        asking.push_back(id);
    std::sort(asking.begin(), asking.end(), [&](std::size_t a, std::size_t b) {
      const auto& left = *made.actors[a].identity;
      const auto& right = *made.actors[b].identity;
      return std::tie(left.strategy_name, left.symbol) <
             std::tie(right.strategy_name, right.symbol);
    });
    for (const auto id : asking) {
      auto& now = states[id];
      const auto& actor = made.actors[id];
      const auto question = now.question++;
      if (actor.dies_asking == question) {
        now.over = true;
        continue;
      }
      const auto query = query_of(actor, question, when);
      risk_verdict verdict;
      for (const auto& name : actor.profiles) {
        const auto& schema = *std::find_if(made.profiles.begin(), made.profiles.end(),
                                           [&](const auto& p) { return p.risk_name == name; });
        std::vector<active_position> positions;
        for (const auto& [holder, position] : held[name])
          positions.push_back(position);
        for (const auto& rule : schema.validations) {
          std::optional<std::string> reason;
          try {
            reason = rule.validate({*actor.identity, query.request, 100, when, positions});
          } catch (const std::exception& thrown) {
            verdict.validation_error = thrown.what();
            reason = thrown.what();
          }
          if (!reason)
            continue;
          verdict.allowed = false;
          verdict.risk_name = name;
          verdict.comment = !rule.note.empty() ? rule.note : reason->empty() ? "N/A" : *reason;
          verdict.active_position_count = std::ssize(positions);
          break;
        }
        if (!verdict.allowed)
          break;
      }
      told.push_back(verdict_text(actor, when, verdict));
      if (verdict.allowed && query.adds) {
        now.holds = true;
        for (const auto& name : actor.profiles)
          held[name].push_back({id,
                                {actor.identity->strategy_name, "paper", actor.identity->symbol,
                                 position_side::long_side, 100, when}});
      }
      now.next = actor.next_after(question, when);
    }
  }
  return told;
}

/// The same participants against the arbiter, in a random interleaving; verdicts as they are given.
texts play(const world& made, std::uint64_t seed) {
  struct state {
    instant next;
    std::size_t question = 0;
    bool holds = false, over = false, waits = false;
    instant asked_at = 0;
  };
  mixer random{seed, 6};
  std::vector<risk_participant> list;
  std::vector<state> states;
  for (const auto& actor : made.actors) {
    list.push_back({actor.identity, actor.profiles});
    states.push_back({actor.begins});
  }
  risk_arbiter arbiter{made.profiles, list};
  texts told;
  const auto step = [&](std::size_t id) {
    auto& now = states[id];
    const auto& actor = made.actors[id];
    if (random.chance(0.3)) { // a range without anything in it
      arbiter.promise(id, now.next - random.between(0, 5));
      return;
    }
    const bool last = now.question >= actor.questions;
    if (now.holds && !(last && actor.dies_holding)) {
      now.holds = false;
      arbiter.ended(id, now.next);
      if (random.chance(0.2))
        arbiter.ended(id, now.next); // said twice
      if (random.chance(0.5))
        return; // the question comes in a message of its own
    }
    if (last) {
      now.over = true;
      arbiter.promise(id, end_of_time);
      return;
    }
    arbiter.ask(id, query_of(actor, now.question, now.next));
    now.asked_at = now.next;
    if (actor.dies_asking == now.question) {
      now.over = true;
      arbiter.promise(id, end_of_time);
      return;
    }
    now.waits = true;
  };
  for (int turns = 0; turns < 100'000; ++turns) {
    std::vector<std::size_t> running;
    for (std::size_t id = 0; id < states.size(); ++id)
      if (!states[id].over && !states[id].waits)
        running.push_back(id);
    const bool nobody_runs = running.empty();
    if (!nobody_runs)
      step(random.pick(running));
    if (!nobody_runs && random.chance(0.4))
      continue; // several messages before the arbiter looks
    const auto decisions = arbiter.decide();
    if (nobody_runs && decisions.empty())
      break; // all over, or a deadlock
    for (const auto& [id, verdict] : decisions) {
      auto& now = states[id];
      const auto& actor = made.actors[id];
      REQUIRE(now.waits);
      told.push_back(verdict_text(actor, now.asked_at, verdict));
      now.holds = verdict.allowed && actor.adds(now.question);
      now.next = actor.next_after(now.question, now.asked_at);
      ++now.question;
      now.waits = false;
    }
  }
  for (const auto& now : states)
    REQUIRE_MESSAGE(now.over, "deadlock");
  return told;
}

} // namespace

TEST_CASE("risk arbiter: 1500 random scenarios: the verdicts of a sequential oracle, whatever the "
          "interleaving") {
  std::size_t verdicts = 0, rejections = 0;
  for (std::uint64_t seed = 1; seed <= 500; ++seed) {
    CAPTURE(seed);
    const auto made = random_world(seed);
    made.heard->clear();
    const auto expected = oracle(made);
    const auto expected_questions = *made.heard;
    for (std::uint64_t interleaving = 0; interleaving < 3; ++interleaving) {
      CAPTURE(interleaving);
      made.heard->clear();
      const auto actual = play(made, seed * 3 + interleaving);
      REQUIRE(expected == actual);
      REQUIRE(expected_questions == *made.heard); // who was asked, and what positions it saw
    }
    verdicts += expected.size();
    for (const auto& text : expected)
      rejections += text.find("false") != std::string::npos;
  }
  CHECK(verdicts > 4000);
  CHECK(rejections > 500);
}
