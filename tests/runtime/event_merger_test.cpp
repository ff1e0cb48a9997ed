#include "runtime/event_merger.hpp"

#include "tests/support/random_scenario.hpp"

#include <algorithm>
#include <iterator>

#include <doctest/doctest.h>

using namespace backtest;
using namespace backtest::testing;

namespace {

event at(instant when, const std::string& text) {
  return {topic::error, error_event{error_code::data_gap, text, "", when, nullptr}};
}

event without_instant(const std::string& name) {
  return {topic::done_backtest, done_event{nullptr, name, run_outcome::completed}};
}

texts told_by(const std::vector<event>& events) {
  texts list;
  for (const auto& item : events)
    if (const auto* done = std::get_if<done_event>(&item.payload))
      list.push_back(done->walker_name);
    else
      list.push_back(std::get<error_event>(item.payload).message);
  return list;
}

std::vector<event> everything_of(event_merger& merger) {
  std::vector<event> out;
  for (auto piece = merger.take(); !piece.empty(); piece = merger.take()) {
    REQUIRE(piece.size() <= event_merger::piece_size);
    std::ranges::move(piece, std::back_inserter(out));
  }
  return out;
}

texts taken(event_merger& merger) { return told_by(everything_of(merger)); }

} // namespace

TEST_CASE("event merger: instant, then run, then order of emission") {
  event_merger merger{3, 0};
  merger.add(2, {at(1, "2a"), at(1, "2b"), at(3, "2c")}, end_of_time);
  merger.add(0, {at(1, "0a"), at(2, "0b"), at(2, "0c")}, end_of_time);
  merger.add(1, {at(2, "1a"), at(3, "1b")}, end_of_time);
  CHECK(taken(merger) == texts{"0a", "2a", "2b", "0b", "0c", "1a", "1b", "2c"});
  CHECK(merger.empty());
}

TEST_CASE("event merger: an event comes out once no run can produce an earlier one") {
  event_merger merger{2, 10};
  CHECK(merger.lowest_clock() == 10);
  merger.add(0, {at(10, "early"), at(20, "late")}, 21);
  CHECK(taken(merger) == texts{}); // the other may still say something at 10
  merger.add(1, {}, 11);
  CHECK(merger.lowest_clock() == 11);
  CHECK(taken(merger) == texts{"early"});
  merger.add(1, {at(15, "between")}, 20);
  CHECK(taken(merger) == texts{"between"}); // at 20 the other is not past yet
  CHECK_FALSE(merger.empty());
  merger.add(1, {at(20, "tie")}, 21);
  CHECK(taken(merger) == texts{"late", "tie"}); // ties in order of the runs
  CHECK(merger.clock(0) == 21);
}

TEST_CASE("event merger: clocks never go back") {
  event_merger merger{1, 0};
  merger.add(0, {}, 10);
  merger.add(0, {}, 5);
  CHECK(merger.clock(0) == 10);
}

TEST_CASE("event merger: one run alone waits for nobody and comes out as it went in") {
  event_merger merger{1, 0};
  merger.add(0, {at(1, "a"), at(1, "b"), at(2, "c"), at(3, "d")}, 3);
  CHECK(taken(merger) == texts{"a", "b", "c", "d"});
  merger.add(0, {at(3, "e")}, end_of_time);
  CHECK(taken(merger) == texts{"e"});
  CHECK(merger.empty());
}

TEST_CASE("event merger: events without an instant stay where they stand") {
  event_merger merger{2, 5};
  merger.add(0, {without_instant("begin 0"), at(7, "7 of 0"), without_instant("end 0")},
             end_of_time);
  merger.add(1, {without_instant("begin 1"), at(6, "6 of 1"), without_instant("end 1")},
             end_of_time);
  CHECK(taken(merger) == texts{"begin 0", "begin 1", "6 of 1", "end 1", "7 of 0", "end 0"});
}

TEST_CASE("event merger: much comes out piece by piece") {
  event_merger merger{2, 0};
  std::vector<event> many(3 * event_merger::piece_size, at(1, "many"));
  merger.add(0, many, 2);
  merger.add(1, {at(0, "first"), at(2, "last")}, 3);
  merger.add(0, {}, 3);
  CHECK(told_by(merger.take()).front() == "first");
  CHECK(merger.take().size() == event_merger::piece_size);
  CHECK(merger.take().size() == event_merger::piece_size);
  CHECK(taken(merger) == texts{"many", "last"});
  CHECK(merger.empty());
}

TEST_CASE("event merger: no runs give nothing") {
  event_merger none{0, 0};
  CHECK(none.lowest_clock() == end_of_time);
  CHECK(none.empty());
  CHECK(taken(none) == texts{});
}

TEST_CASE("event merger: any pieces in any order come out as one stable sort") {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    CAPTURE(seed);
    mixer random{seed, 7};
    const auto runs = static_cast<std::size_t>(random.between(1, 6));
    std::vector<std::vector<event>> streams(runs);
    std::vector<event> expected;
    for (std::size_t run = 0; run < runs; ++run) {
      instant when = 0;
      const auto count = random.below(40);
      for (std::uint64_t i = 0; i < count; ++i) {
        when += random.between(0, 2);
        streams[run].push_back(at(when, fmt::format("{}.{}", run, i)));
      }
      expected.insert(expected.end(), streams[run].begin(), streams[run].end());
    }
    std::stable_sort(expected.begin(), expected.end(), [](const event& a, const event& b) {
      return *instant_of(a) < *instant_of(b);
    });
    event_merger merger{runs, 0};
    std::vector<std::size_t> sent(runs, 0);
    std::vector<event> out;
    std::vector<std::size_t> open(runs);
    for (std::size_t run = 0; run < runs; ++run)
      open[run] = run;
    while (!open.empty()) {
      const auto chosen = random.below(open.size());
      const auto run = open[chosen];
      auto& from = streams[run];
      const auto until = sent[run] + random.below(6);
      const auto last = std::min<std::size_t>(until, from.size());
      std::vector<event> piece(from.begin() + static_cast<std::ptrdiff_t>(sent[run]),
                               from.begin() + static_cast<std::ptrdiff_t>(last));
      sent[run] = last;
      const bool over = last == from.size() && random.chance(0.5);
      merger.add(run, std::move(piece),
                 over                 ? end_of_time
                 : last < from.size() ? *instant_of(from[last])
                                      : 0);
      if (over)
        open.erase(open.begin() + static_cast<std::ptrdiff_t>(chosen));
      for (auto& item : everything_of(merger)) {
        REQUIRE((runs == 1 || *instant_of(item) < merger.lowest_clock()));
        out.push_back(std::move(item));
      }
    }
    REQUIRE(merger.empty());
    REQUIRE(told_by(expected) == told_by(out));
  }
}
