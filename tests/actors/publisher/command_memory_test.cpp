#include "actors/publisher/command_memory.hpp"

#include "tests/support/contains.hpp"

#include <doctest/doctest.h>

using namespace backtest;
using namespace backtest::testing;

namespace {

constexpr std::int64_t started = 1'000'000;

control_run pause_of_grid(const std::string& id, std::int64_t asked_ms_ago = 0) {
  control_run command{"grid", "AAA", operator_command::pause};
  command.id = id;
  command.asked_ms_ago = asked_ms_ago;
  return command;
}

control_run inquiry(control_run command) {
  command.only_asks = true;
  return command;
}

} // namespace

TEST_CASE("command memory: a command is carried out once, waited for, and answered again") {
  command_memory memory{started};
  REQUIRE(memory.look_up(pause_of_grid("a"), started + 1).is_new);
  memory.take(pause_of_grid("a"), started + 1);
  const auto again = memory.look_up(pause_of_grid("a", 9'000), started + 9'001);
  CHECK(!again.is_new);
  CHECK(!again.answer);
  const auto asked = memory.look_up(inquiry(pause_of_grid("a", 9'000)), started + 9'001);
  REQUIRE(asked.answer);
  CHECK(!asked.answer->problem);
  CHECK(asked.answer->taken_ms_ago == 9'000);
  memory.settle("a", run_controlled{error{error_code::invalid_argument, "paused already"}});
  for (const auto& repeated : {pause_of_grid("a", 10'000), inquiry(pause_of_grid("a", 10'000))}) {
    const auto found = memory.look_up(repeated, started + 11'000);
    REQUIRE(found.answer);
    CHECK(found.answer->problem == error{error_code::invalid_argument, "paused already"});
    CHECK(!found.is_new);
  }
}

TEST_CASE("command memory: one that got lost on its way is carried out when it is asked again") {
  const command_memory memory{started};
  const auto late = started + 60'000;
  CHECK(memory.look_up(pause_of_grid("a", 20'000), late).is_new);
  const auto asked = memory.look_up(inquiry(pause_of_grid("a", 20'000)), late);
  REQUIRE(asked.answer);
  CHECK(asked.answer->problem->code == error_code::not_found);
}

TEST_CASE("command memory: asked before the node was started, a command is not carried out") {
  const command_memory memory{started};
  // Up to the time a command may be on its way.
  for (const std::int64_t ago : {30'000, 15'001, 15'000}) {
    const auto found = memory.look_up(pause_of_grid("a", ago), started + 30'000);
    REQUIRE(found.answer);
    CHECK(found.answer->problem->code == error_code::invalid_argument);
    CHECK(contains(found.answer->problem->message, "remembers the commands of the last 30 s only"));
  }
  CHECK(memory.look_up(pause_of_grid("a", 14'999), started + 30'000).is_new);
  CHECK(memory.look_up(pause_of_grid("a"), started).is_new);
}

TEST_CASE("command memory: the oldest answers are forgotten, and what may be one of them refused") {
  command_memory memory{started, 2};
  for (const auto* id : {"a", "b", "c"}) {
    const auto now = started + 100'000 + 10'000 * (*id - 'a');
    REQUIRE(memory.look_up(pause_of_grid(id), now).is_new);
    memory.take(pause_of_grid(id), now);
    memory.settle(id, {});
  }
  const auto now = started + 140'000;
  CHECK(memory.look_up(pause_of_grid("b", 1), now).answer);
  CHECK(memory.look_up(pause_of_grid("c", 1), now).answer);
  const auto forgotten = memory.look_up(pause_of_grid("a", 40'000), now);
  REQUIRE(forgotten.answer);
  CHECK(forgotten.answer->problem);
  CHECK(memory.look_up(pause_of_grid("d", 24'999), now).is_new); // behind what was forgotten
}

TEST_CASE("command memory: an id of another command, and too many under way, are refused") {
  command_memory memory{started, 1};
  memory.take(pause_of_grid("a"), started);
  auto other = pause_of_grid("a");
  other.symbol = "BBB";
  auto found = memory.look_up(other, started);
  REQUIRE(found.answer);
  CHECK(contains(found.answer->problem->message, "that of pause of strategy grid on AAA"));
  found = memory.look_up(pause_of_grid("b"), started);
  REQUIRE(found.answer);
  CHECK(contains(found.answer->problem->message, "1 commands wait"));
  memory.settle("a", {});
  CHECK(memory.look_up(pause_of_grid("b"), started).is_new);
}
