#include "messages/process_limits.hpp"

#include "messages/error.hpp"
#include "tests/support/contains.hpp"

#include <doctest/doctest.h>
#include <sys/resource.h>

using namespace backtest;
using namespace backtest::testing;

TEST_CASE(
    "process limits: room for a few threads and files is there, for too many files it is not") {
  require_room_for(4, 4);
  rlimit kept{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &kept) == 0);
  auto low = kept;
  low.rlim_cur = 40;
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &low) == 0);
  std::string message;
  try {
    require_room_for(1, 64);
  } catch (const failure& caught) {
    CHECK(caught.code() == error_code::actor_failed);
    message = caught.what();
  }
  CHECK(contains(describe_process_limits(), "40 open files (ulimit -n)"));
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &kept) == 0);
  CHECK(contains(message, "too few open files are allowed: "));
  CHECK(contains(message, " more can be opened, expected 64 ("));
  CHECK(contains(message, "40 open files (ulimit -n)"));
}
