#include "tests/support/live_fixture.hpp"

using namespace backtest;
using namespace backtest::testing;

namespace {

/// A replay at which every minute is due, one at a time.
std::shared_ptr<live_clock> minute_by_minute() {
  return std::make_shared<manual_clock>(end_of_time / 2, true);
}

/// What a live run of the five symbols leaves behind.
struct left_behind {
  std::vector<std::string> journal;
  std::vector<store_entry> state;
  std::vector<live_report_data> reports;
};

/// `listens_to_idle`: then every run is asked at every minute.
left_behind run_five_symbols(const std::shared_ptr<live_clock>& clock, bool listens_to_idle) {
  const test_disk disk;
  runtime target{on(disk)};
  add_five_symbols(target, 1);
  tally idle;
  if (listens_to_idle)
    target.listen({{topic::signal_live}, {tick_action::idle}, {}, {}},
                  [&idle](const event&) { idle.add(); });
  auto request = five_symbols_live();
  request.clock = clock;
  target.live().background(request).wait();
  target.flush();
  CHECK((idle.count() > 5'000) == listens_to_idle);
  left_behind found{disk.journal(), disk.state(), {}};
  for (const auto& symbol : request.symbols)
    for (const auto& strategy : request.strategies)
      found.reports.push_back(target.live().get_data(symbol, strategy));
  return found;
}

} // namespace

TEST_CASE("live: runs that are not asked while nothing happens leave the same behind as those that "
          "are") {
  const watchdog guard{std::chrono::seconds{120}};
  const auto asked = run_five_symbols(minute_by_minute(), true);
  const auto paced = run_five_symbols(minute_by_minute(), false);
  const auto unpaced = run_five_symbols(at_full_speed(), false);
  for (const auto* quiet : {&paced, &unpaced}) {
    CHECK(quiet->journal == asked.journal);
    CHECK(quiet->state == asked.state);
    REQUIRE(quiet->reports.size() == asked.reports.size());
    for (std::size_t i = 0; i < asked.reports.size(); ++i) {
      CAPTURE(i);
      CHECK(quiet->reports[i].total_events == asked.reports[i].total_events);
      CHECK(quiet->reports[i].total_closed == asked.reports[i].total_closed);
      CHECK(quiet->reports[i].event_list == asked.reports[i].event_list);
    }
  }
}

TEST_CASE("live, system clock: a quiet run is not asked, yet its row and its report go on") {
  const watchdog guard;
  test_disk disk;
  runtime target{on(disk)};
  std::atomic<int> asked{0};
  add_basics(target, [&](const run_context&) -> std::optional<signal_request> {
    ++asked;
    return std::nullopt;
  });
  const auto boundary = first_instant + 60 * minute_ms;
  const auto clock = std::make_shared<manual_clock>(boundary - 1);
  const auto handle = target.live().background(one_buyer(clock));
  clock->wait_until_watched();
  constexpr instant settle = 1'500;
  for (int minute = 0; minute < 16; ++minute) {
    clock->set(boundary + minute * minute_ms + settle);
    clock->wait_for_alarm_at(boundary + (minute + 1) * minute_ms + settle);
    const auto stored = read_runs(disk.content());
    REQUIRE(stored.runs.size() == 1);
    CHECK(stored.runs[0].memory.last_instant == boundary + minute * minute_ms);
    target.flush();
    const auto report = target.live().get_data("BTC", "buyer");
    REQUIRE(report.event_list.size() == 1);
    CHECK(report.event_list[0].action == tick_action::idle);
    CHECK(report.event_list[0].timestamp == boundary + minute * minute_ms);
    CHECK_FALSE(report.event_list[0].caught_up);
    CHECK(report.total_events == 1);
  }
  CHECK(asked == 2); // at the full and at the quarter hour
}

TEST_CASE("live: whoever begins to listen to idle ticks hears them of quiet runs, too") {
  const watchdog guard;
  const test_disk disk;
  runtime target{on(disk)};
  add_basics(target, never);
  const auto clock = std::make_shared<manual_clock>(first_instant, true);
  auto handle = target.live().background(one_buyer(clock));
  clock->wait_for_alarm_at(first_instant + minute_ms);
  tally idle;
  std::atomic<instant> first{0};
  target.listen({{topic::signal_live}, {tick_action::idle}, {}, {}}, [&](const event& item) {
    if (first == 0)
      first = std::get<tick_result>(item.payload).timestamp;
    idle.add();
  });
  clock->set(first_instant + 5 * minute_ms);
  idle.wait_for(5);
  CHECK(first == first_instant + minute_ms);
  handle.cancel();
  handle.wait();
}
