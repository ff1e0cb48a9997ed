#include "actors/topics/run_interests.hpp"

#include <doctest/doctest.h>

using namespace backtest;

namespace {

shared_identity run_of(const std::string& symbol) {
  return std::make_shared<const run_identity>(
      run_identity{symbol, "strategy", "exchange", "frame", run_mode::backtest});
}

event tick(const shared_identity& run, tick_action action) {
  tick_result result;
  result.action = action;
  result.run = run;
  return {topic::signal_backtest, result};
}

event problem(const shared_identity& run) {
  return {topic::error, error_event{error_code::data_gap, "", "", std::nullopt, run}};
}

} // namespace

TEST_CASE("run interests: runs are numbered as they come, events without one are 0") {
  run_numbers runs;
  const auto a = run_of("A"), b = run_of("B");
  CHECK(runs.number_of(nullptr) == 0);
  CHECK(runs.number_of(a) == 1);
  CHECK(runs.number_of(b) == 2);
  CHECK(runs.number_of(a) == 1);
  CHECK(runs.size() == 3);
  CHECK(runs.names_of(2).symbol == "B");
  runs.clear();
  CHECK(runs.number_of(b) == 1);
}

TEST_CASE("run interests: many runs keep their numbers") {
  run_numbers runs;
  std::vector<shared_identity> known;
  for (int i = 0; i < 5000; ++i)
    known.push_back(run_of(std::to_string(i)));
  for (int round = 0; round < 2; ++round)
    for (std::size_t i = 0; i < known.size(); ++i)
      REQUIRE(runs.number_of(known[i]) == i + 1);
}

TEST_CASE("run interests: a batch by run, each in its order, anew for every batch") {
  run_numbers runs;
  batch_index index;
  const auto a = run_of("A"), b = run_of("B"), c = run_of("C");
  index.build({problem(a), problem(b), problem(nullptr), problem(a)}, runs);
  using places = std::vector<std::uint32_t>;
  REQUIRE(index.groups.size() == 3);
  CHECK(index.groups[0].events == places{0, 3});
  CHECK(index.groups[1].events == places{1});
  CHECK(index.groups[2].run == 0);
  CHECK(index.groups[2].events == places{2});
  index.build({problem(c), problem(b), problem(c)}, runs);
  REQUIRE(index.groups.size() == 2);
  CHECK(index.groups[0].run == 3);
  CHECK(index.groups[0].events == places{0, 2});
  CHECK(index.groups[1].run == 2);
  CHECK(index.groups[1].events == places{1});
  index.build({}, runs);
  CHECK(index.groups.empty());
}

TEST_CASE("run interests: who has what all events of a run are on wants them all") {
  run_numbers runs;
  batch_index index;
  const auto a = run_of("A"), b = run_of("B");
  index.build({tick(a, tick_action::idle), problem(b), tick(a, tick_action::closed)}, runs);
  REQUIRE(index.groups.size() == 2);
  const auto signals = interest::of(topic::signal_backtest);
  const auto both = interest::of(tick_action::idle) | interest::of(tick_action::closed);
  CHECK(index.groups[0].all == (signals | both));
  CHECK(index.groups[1].all == interest::of(topic::error));
  CHECK((signals | both | interest::of(topic::error)).covers(index.groups[0].all));
  CHECK_FALSE((signals | interest::of(tick_action::closed)).covers(index.groups[0].all));
  index.build({problem(a)}, runs);
  CHECK(index.groups[0].all == interest::of(topic::error));
}

TEST_CASE("run interests: ticks by topic and action, the rest by topic") {
  run_numbers runs;
  const auto run = run_of("A");
  const auto closed = marks_of(tick(run, tick_action::closed), runs);
  const auto idle = marks_of(tick(run, tick_action::idle), runs);
  const auto error = marks_of(problem(run), runs);
  const auto closes = interest::of(tick_action::closed);
  CHECK(is_wanted(closed, interest::of(topic::signal_backtest) | closes));
  CHECK(is_wanted(closed, interest::of(topic::signal) | closes));
  CHECK_FALSE(is_wanted(idle, interest::of(topic::signal) | closes));
  CHECK_FALSE(is_wanted(closed, interest::of(topic::signal_live) | closes));
  CHECK(is_wanted(error, interest::of(topic::error)));
  CHECK_FALSE(is_wanted(error, interest::of(topic::exit) | closes));
}

TEST_CASE("run interests: what a batch contains is its topics and the actions of its ticks") {
  const auto run = run_of("A");
  CHECK(contents_of({}).empty());
  CHECK(contents_of({problem(run)}) == interest::of(topic::error));
  CHECK(
      contents_of({tick(run, tick_action::closed), problem(run), tick(run, tick_action::opened)}) ==
      (interest::of(topic::signal_backtest) | interest::of(tick_action::closed) |
       interest::of(topic::error) | interest::of(tick_action::opened)));
}
