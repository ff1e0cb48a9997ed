#include "runtime/ticking_clock.hpp"

#include <doctest/doctest.h>

using namespace backtest;

TEST_CASE("ticking clock: it moves on while somebody holds a reading") {
  ticking_clock clock;
  const auto reading = clock.watch();
  const auto first = reading->load();
  while (reading->load() == first)
    std::this_thread::yield();
  CHECK(reading->load() > first);
}

TEST_CASE("ticking clock: a reading is right when it is handed out, also after a rest") {
  ticking_clock clock;
  const auto first = clock.watch()->load();
  const auto second = clock.watch()->load();
  CHECK(second >= first);
}

TEST_CASE("ticking clock: readings may outlive it") {
  ticking_clock::reading kept;
  {
    ticking_clock clock;
    kept = clock.watch();
  }
  CHECK(kept->load() > 0);
}
