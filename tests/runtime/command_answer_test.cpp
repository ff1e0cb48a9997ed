#include "runtime/command_answer.hpp"

#include "tests/support/contains.hpp"

#include <doctest/doctest.h>

using namespace backtest;
using namespace backtest::testing;
using namespace backtest;

TEST_CASE("control: what is known of a command is said") {
  CHECK(!problem_of_command({run_controlled{}, ""}, 90));
  CHECK(problem_of_command(
            {run_controlled{error{error_code::invalid_argument, "paused already"}}, ""}, 90) ==
        "paused already");
  const auto taken = problem_of_command({run_controlled{std::nullopt, 88'500}, ""}, 90);
  REQUIRE(taken);
  CHECK(contains(*taken,
                 "no answer within 90 s; the node took the command 88 s ago, and it has not "
                 "become durable"));
  const auto never =
      problem_of_command({run_controlled{error{error_code::not_found, "no command"}}, ""}, 1.5);
  REQUIRE(never);
  CHECK(contains(*never, "no answer within 1.5 s; the command has not reached the node"));
  const auto unknown = problem_of_command({std::nullopt, "silent for 10 s"}, 90);
  REQUIRE(unknown);
  CHECK(
      contains(*unknown, "it is not known whether the command reached the node (silent for 10 s)"));
}
