#include "actors/topics/event_distribution.hpp"

#include <algorithm>
#include <list>
#include <random>
#include <string>

#include <doctest/doctest.h>

using namespace backtest;

namespace {

shared_identity named_run(const std::string& symbol, const std::string& strategy) {
  return std::make_shared<const run_identity>(
      run_identity{symbol, strategy, "exchange", "frame", run_mode::backtest});
}

event told_problem(const shared_identity& run, topic on = topic::error) {
  return {on, error_event{error_code::data_gap, "a text that a move leaves nothing of", "test",
                          std::nullopt, run}};
}

event told_tick(const shared_identity& run, tick_action action) {
  tick_result result;
  result.action = action;
  result.run = run;
  return {topic::signal_backtest, result};
}

bool was_moved(const event& item) { return std::get<error_event>(item.payload).message.empty(); }

/// What each gets of a batch, as the bus deals it out.
struct dealt {
  std::vector<std::vector<event>> parts;
  std::vector<event> left;
};

dealt deal(event_distribution& distribution, std::list<event_taker>& takers,
           std::vector<event> events, bool may_move) {
  distribution.count(events, run_mode::backtest);
  dealt result;
  for (auto& taker : takers) {
    result.parts.emplace_back();
    result.parts.back().reserve(taker.wanted);
  }
  auto part = result.parts.begin();
  for (auto& taker : takers)
    taker.part = &*part++;
  if (std::any_of(takers.begin(), takers.end(),
                  [&](const auto& taker) { return taker.wanted < events.size(); })) {
    for (auto& taker : takers)
      if (taker.wanted == events.size()) {
        *taker.part = events;
        taker.part = nullptr;
      }
    distribution.put_parts(events, may_move);
  } else {
    for (auto& item : result.parts)
      item = events;
  }
  result.left = std::move(events);
  return result;
}

} // namespace

TEST_CASE(
    "event distribution: whatever anybody chooses, each gets what its filter wants, in order") {
  const std::vector<topic> topics{topic::error, topic::exit, topic::signal_backtest, topic::signal};
  const std::vector<tick_action> actions{tick_action::opened, tick_action::closed};
  const std::vector<shared_identity> runs{nullptr, named_run("A", "one"), named_run("A", "two"),
                                          named_run("B", "one"), named_run("C", "two")};
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    CAPTURE(seed);
    std::mt19937_64 random{seed};
    const auto choose = [&random](std::size_t below) {
      return static_cast<std::size_t>(random() % below);
    };
    const auto some_of = [&choose](const auto& all) {
      auto some = all;
      std::erase_if(some, [&choose](const auto&) { return choose(2) == 0; });
      return some;
    };
    event_distribution distribution;
    std::list<event_taker> takers;
    for (int batch = 0; batch < 6; ++batch) {
      if (!takers.empty() && choose(3) == 0) {
        const auto leaver =
            std::next(takers.begin(), static_cast<std::ptrdiff_t>(choose(takers.size())));
        distribution.leave(*leaver);
        takers.erase(leaver);
      }
      for (auto more = choose(3); more > 0; --more) {
        takers.push_back({subscription_filter{{some_of(topics), some_of(actions),
                                               some_of(std::vector<std::string>{"A", "B"}),
                                               some_of(std::vector<std::string>{"one"})}}});
        distribution.join(takers.back());
      }
      std::vector<event> events;
      for (auto count = 1 + choose(8); count > 0; --count) {
        const auto& run = runs[choose(runs.size())];
        if (run && choose(2) == 0)
          events.push_back(told_tick(run, actions[choose(2)]));
        else
          events.push_back(told_problem(run, topics[choose(2)]));
        events.back().number = static_cast<std::int64_t>(events.size());
      }
      const auto found = deal(distribution, takers, events, true);
      auto part = found.parts.begin();
      for (const auto& taker : takers) {
        std::vector<event> expected;
        for (const auto& item : events)
          if (taker.filter.wants(item))
            expected.push_back(item);
        CHECK(taker.wanted == expected.size());
        CHECK(*part++ == expected);
      }
    }
  }
}

TEST_CASE("event distribution: an event that one alone wants is moved, any other is copied") {
  event_distribution distribution;
  std::list<event_taker> takers;
  for (const auto* symbol : {"A", "B", "B"}) {
    takers.push_back({subscription_filter{{{topic::error}, {}, {symbol}, {}}}});
    distribution.join(takers.back());
  }
  const std::vector<event> events{told_problem(named_run("A", "one")),
                                  told_problem(named_run("B", "one")),
                                  told_problem(named_run("C", "one"))};
  auto kept = deal(distribution, takers, events, false);
  CHECK(kept.left == events);
  auto moved = deal(distribution, takers, events, true);
  CHECK(was_moved(moved.left[0]));
  CHECK(moved.left[1] == events[1]);
  CHECK(moved.left[2] == events[2]);
  CHECK(moved.parts == kept.parts);
  CHECK(moved.parts[0] == std::vector<event>{events[0]});
  CHECK(moved.parts[1] == std::vector<event>{events[1]});
  CHECK(moved.parts[2] == std::vector<event>{events[1]});
}

TEST_CASE("event distribution: with more runs than are numbered at a time it goes on as before") {
  event_distribution distribution;
  event_taker of_one{subscription_filter{{{topic::error}, {}, {"S7"}, {}}}};
  event_taker of_all{subscription_filter{{{topic::error}, {}, {}, {}}}};
  distribution.join(of_one);
  distribution.join(of_all);
  std::size_t heard_by_one = 0, heard_by_all = 0;
  for (int batch = 0; batch < 80; ++batch) {
    std::vector<event> events;
    for (int i = 0; i < 1000; ++i)
      events.push_back(told_problem(named_run("S" + std::to_string(i), std::to_string(batch))));
    distribution.count(events, run_mode::backtest);
    heard_by_one += of_one.wanted;
    heard_by_all += of_all.wanted;
  }
  CHECK(heard_by_one == 80);
  CHECK(heard_by_all == 80'000);
  distribution.leave(of_one);
  distribution.leave(of_all);
}
