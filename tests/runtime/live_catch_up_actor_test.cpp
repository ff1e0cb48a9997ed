#include "tests/support/live_story.hpp"

#include <algorithm>

using namespace backtest;
using namespace backtest::testing;

namespace {

/// AAA cannot be fetched while `down`.
struct failing_symbol : two_symbols {
  std::atomic<bool> down{true};

  void add_to(runtime& target, bool share_profile = true) {
    two_symbols::add_to(
        target,
        [this](const candle_query& query) {
          if (down && query.symbol == "AAA")
            throw std::runtime_error("down");
          return wave(query.since, query.until);
        },
        share_profile);
  }
};

using story_lines = std::vector<std::string>;

} // namespace

TEST_CASE("lifecycle 10, catch-up: openings wait catch_up_wait_seconds for a symbol that cannot be "
          "fetched, then go on without it") {
  const watchdog guard;
  failing_symbol world;
  runtime target{world.options(150)};
  world.add_to(target);
  live_story heard{target, world.boundary};
  const auto handle = world.start(target);
  const auto first = world.first; // AAA fails, BBB wants to open
  world.clock->set(first);
  world.clock->wait_for_alarm_at(first + 1000); // BBB's answer is waited for
  world.clock->set(first + 1000);
  heard.wait_for(1);
  world.clock->set(first + minute_ms);
  heard.wait_for(2);
  world.clock->set(first + 2 * minute_ms);
  heard.wait_for(3);
  world.clock->wait_for_alarm_at(first + 150'000);
  world.clock->set(first + 150'000);
  CHECK(heard.wait_for(4) == story_lines{"error AAA", "error AAA", "error AAA", "opened BBB 0"});
  // It comes back and makes up for what it missed, in order.
  world.down = false;
  world.clock->set(first + 3 * minute_ms);
  CHECK(heard.wait_for(5).back() == "opened AAA 0 caught up");
  CHECK(!handle.finished());
}

TEST_CASE("lifecycle 10, catch-up: a symbol that comes back in time is first again") {
  const watchdog guard;
  failing_symbol world;
  runtime target{world.options(150)};
  world.add_to(target);
  live_story heard{target, world.boundary};
  const auto handle = world.start(target);
  const auto first = world.first;
  world.clock->set(first);
  world.clock->wait_for_alarm_at(first + 1000);
  world.clock->set(first + 1000);
  heard.wait_for(1);
  world.down = false;
  world.clock->set(first + minute_ms);
  const auto told = heard.wait_for(3);
  CHECK(told[0] == "error AAA");
  // Both at the same instant: in line order where they are durable together.
  CHECK(std::count(told.begin(), told.end(), "opened AAA 0 caught up") == 1);
  CHECK(std::count(told.begin(), told.end(), "opened BBB 0") == 1);
}

TEST_CASE("live, catch-up: without a wait the others go on at once") {
  const watchdog guard;
  failing_symbol world;
  runtime target{world.options(0)};
  world.add_to(target);
  live_story heard{target, world.boundary};
  const auto handle = world.start(target);
  world.clock->set(world.first);
  CHECK(heard.wait_for(2) == story_lines{"error AAA", "opened BBB 0"});
}

TEST_CASE("live, catch-up: who shares no risk profile with it never waits") {
  const watchdog guard;
  failing_symbol world;
  runtime target{world.options(150)};
  world.add_to(target, false);
  live_story heard{target, world.boundary};
  const auto handle = world.start(target);
  world.clock->set(world.first);
  CHECK(heard.wait_for(2) == story_lines{"error AAA", "opened BBB 0"});
}
