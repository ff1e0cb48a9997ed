#include "actors/gate/connection_bounds.hpp"
#include "actors/gate/refusal_notices.hpp"

#include <doctest/doctest.h>

using namespace backtest;

TEST_CASE("connection bounds: who only waits gives way to the next, who proved himself stays") {
  connection_bounds bounds{{6, 3, 2}};
  const auto first = bounds.admit("a").admitted;
  const auto second = bounds.admit("b").admitted;
  REQUIRE((first && second));
  const auto third = bounds.admit("c"); // two are in their handshakes
  CHECK(third.admitted);
  CHECK(third.gives_way == first);
  bounds.prove(*second);
  bounds.prove(*third.admitted);
  for (int i = 0; i < 3; ++i) {
    const auto next = bounds.admit("d");
    REQUIRE(next.admitted);
    CHECK(!next.gives_way);
    bounds.prove(*next.admitted);
  }
  CHECK(!bounds.admit("d").admitted); // three of one address, all proven
  const auto last = bounds.admit("e");
  CHECK(last.admitted);
  CHECK(bounds.size() == 6);
  const auto instead = bounds.admit("f"); // six in all
  CHECK(instead.gives_way == last.admitted);
  bounds.prove(*instead.admitted);
  CHECK(!bounds.admit("g").admitted);
  bounds.release(*second);
  bounds.release(*second);
  CHECK(bounds.admit("g").admitted);
}

TEST_CASE("connection bounds: 2,000 that only wait never keep anybody out") {
  connection_bounds bounds{{}};
  for (int i = 0; i < 2000; ++i)
    CHECK(bounds.admit(i % 2 == 0 ? "10.0.0.1" : "127.0.0.1").admitted);
  CHECK(bounds.size() == 64);
}

TEST_CASE("connection bounds: an address full of those that wait loses its own, not another's") {
  connection_bounds bounds{{10, 2, 5}};
  const auto other = bounds.admit("quiet").admitted;
  const auto mine = bounds.admit("busy").admitted;
  bounds.admit("busy");
  CHECK(bounds.admit("busy").gives_way == mine);
  CHECK(bounds.size() == 3);
  REQUIRE(other);
}

TEST_CASE("connection bounds: at most a quarter of the handles") {
  const auto usual = connection_limits{}.within(65'536);
  CHECK(usual.all == 256);
  CHECK(usual.of_address == 128);
  CHECK(usual.unproven == 64);
  const auto few = connection_limits{}.within(256);
  CHECK(few.all == 21);
  CHECK(few.of_address == 21);
  CHECK(connection_limits{}.within(1).all == 1);
}

TEST_CASE("refusal notices: one at once, the others of a minute together") {
  refusal_notices notices;
  const refusal_notices::time_point start{};
  const auto at = [&](int seconds) { return start + std::chrono::seconds{seconds}; };
  CHECK(notices.note("127.0.0.1", "no TLS", at(0)) == "refused a connection of 127.0.0.1: no TLS");
  for (int i = 0; i < 1980; ++i)
    CHECK(notices.note("127.0.0.1", "too many at once", at(1)).empty());
  for (int i = 0; i < 13; ++i)
    CHECK(notices.note("127.0.0.1", "no TLS", at(59)).empty());
  CHECK(notices.note("::1", "no TLS", at(59)) == "refused a connection of ::1: no TLS");
  CHECK(notices.due(at(59)).empty());
  const auto told = notices.due(at(60));
  REQUIRE(told.size() == 1);
  CHECK(told[0] == "refused 1,993 connections of 127.0.0.1 in the last minute: "
                   "1,980 too many at once, 13 no TLS");
  CHECK(notices.due(at(61)).empty());
  CHECK(notices.note("127.0.0.1", "no TLS", at(100)).empty());
  const auto again = notices.due(at(121));
  REQUIRE(again.size() == 1);
  CHECK(again[0] == "refused 1 connection of 127.0.0.1 in the last minute: 1 no TLS");
  CHECK(!notices.is_quiet());
  CHECK(notices.due(at(200)).empty());
  CHECK(notices.is_quiet());
  CHECK(!notices.note("127.0.0.1", "no TLS", at(201)).empty());
}

TEST_CASE("refusal notices: stay small, whatever comes") {
  refusal_notices notices;
  const refusal_notices::time_point start{};
  std::size_t told = 0;
  for (int i = 0; i < 10'000; ++i)
    told += notices.note(std::to_string(i), "reason " + std::to_string(i), start).empty() ? 0 : 1;
  CHECK(told == refusal_notices::most_addresses);
  const auto due = notices.due(start + std::chrono::minutes{1});
  REQUIRE(due.size() == 1);
  CHECK(due[0].find("refused 9,936 connections of other addresses in the last minute: 9,928 other "
                    "reasons, 1 ") == 0);
}
