#include "messages/calling_place.hpp"

#include <doctest/doctest.h>

using namespace backtest;

namespace {

const int one = 0, another = 0;

std::string place_of(const void* runtime, bool shares_thread, waiting_for what) {
  return place_not_to_wait(runtime, shares_thread, what).value_or("may wait");
}

} // namespace

TEST_CASE("calling place: without a mark only the thread counts") {
  CHECK(place_of(&one, false, waiting_for::runs) == "may wait");
  CHECK(place_of(&one, true, waiting_for::actors) == "an actor that shares its thread with others");
  CHECK(place_of(&one, true, waiting_for::store) == "may wait");
}

TEST_CASE("calling place: marks are nested, and each that forbids counts") {
  {
    const place_mark outer{calling_place::walker, &one, "compare"};
    CHECK(place_of(&one, false, waiting_for::runs) == "may wait");
    CHECK(place_of(&one, false, waiting_for::walkers) == "a callback of walker compare");
    {
      const place_mark inner{calling_place::sizing, nullptr, "half"};
      CHECK(place_of(&one, false, waiting_for::walkers) == "a callback of walker compare");
    }
    {
      const place_mark inner{calling_place::listener, &one};
      CHECK(place_of(&one, false, waiting_for::runs) == "the callback of a listener");
      CHECK(place_of(&one, false, waiting_for::commands) == "may wait");
      CHECK(place_of(&one, false, waiting_for::replayed_commands) == "the callback of a listener");
    }
    CHECK(place_of(&one, false, waiting_for::runs) == "may wait");
  }
  CHECK(place_mark::innermost() == nullptr);
}

TEST_CASE("calling place: another runtime may be waited for, unless it needs the thread") {
  const place_mark listener{calling_place::listener, &one};
  CHECK(place_of(&another, false, waiting_for::subscribers) == "may wait");
  const place_mark strategy{calling_place::strategy, nullptr, "buyer"};
  CHECK(place_of(&another, false, waiting_for::actors) == "may wait");
  CHECK(place_of(&another, true, waiting_for::actors) == "a function of strategy buyer");
}

TEST_CASE("calling place: what knows no runtime counts for all") {
  const place_mark opening{calling_place::opening_store};
  CHECK(place_of(&one, false, waiting_for::store) == "the function that opens the store");
  CHECK(place_of(&another, false, waiting_for::actors) == "the function that opens the store");
}
