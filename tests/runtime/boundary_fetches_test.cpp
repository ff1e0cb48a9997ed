#include "runtime/boundary_fetches.hpp"

#include <doctest/doctest.h>

using namespace backtest;

namespace {

constexpr instant first_due = 100 * minute_ms;
constexpr instant next_due = first_due + minute_ms;
constexpr instant begun = first_due + 1500;

using symbol_ids = std::vector<boundary_fetches::symbol_id>;
using fetch_outcome = boundary_fetches::outcome;

/// Newest candles may come until 21.5 s after a boundary; nobody is waited for longer than 20 s.
boundary_fetches of_symbols(std::size_t count) { return {count, 21'500, 20'000}; }

} // namespace

TEST_CASE("boundary fetches: everybody is asked, and waited for") {
  auto fetches = of_symbols(2);
  CHECK(!fetches.is_open());
  CHECK(fetches.begin(first_due, {0, 1}, begun) == symbol_ids{0, 1});
  CHECK(fetches.is_open());
  CHECK(fetches.boundary() == first_due);
  CHECK(!fetches.may_close(begun));
  CHECK(!fetches.came(0, fetch_outcome::complete, begun + 10));
  CHECK(!fetches.may_close(begun + 10));
  CHECK(!fetches.came(1, fetch_outcome::failed, begun + 20)); // a failure is an answer
  CHECK(fetches.may_close(begun + 20));
  CHECK(fetches.close().empty());
  CHECK(!fetches.is_open());
}

TEST_CASE("boundary fetches: who has not come after the patience is told, and comes late") {
  auto fetches = of_symbols(2);
  fetches.begin(first_due, {0, 1}, begun);
  fetches.came(0, fetch_outcome::complete, begun);
  CHECK(fetches.look_again_at() == first_due + 21'500);
  CHECK(!fetches.may_close(first_due + 21'499));
  CHECK(fetches.may_close(first_due + 21'500));
  CHECK(fetches.close() == symbol_ids{1});
  // It is not asked again while it is being fetched, and nobody waits for it.
  CHECK(fetches.begin(next_due, {0, 1}, begun + minute_ms) == symbol_ids{0});
  fetches.came(0, fetch_outcome::complete, begun + minute_ms);
  CHECK(fetches.may_close(begun + minute_ms));
  CHECK(fetches.came(1, fetch_outcome::complete, begun + minute_ms));
  CHECK(fetches.close().empty());
}

TEST_CASE(
    "boundary fetches: who failed or was late is fetched as well, but not waited for, until it "
    "comes in time") {
  auto fetches = of_symbols(2);
  fetches.begin(first_due, {0, 1}, begun);
  fetches.came(0, fetch_outcome::complete, begun);
  fetches.came(1, fetch_outcome::failed, begun);
  fetches.close();
  CHECK(fetches.begin(next_due, {0, 1}, begun + minute_ms) == symbol_ids{0, 1});
  fetches.came(0, fetch_outcome::complete, begun + minute_ms);
  CHECK(fetches.may_close(begun + minute_ms));
  CHECK(fetches.close().empty());
  CHECK(!fetches.came(1, fetch_outcome::complete, begun + minute_ms + 5)); // soon enough
  fetches.begin(next_due + minute_ms, {0, 1}, begun + 2 * minute_ms);
  fetches.came(0, fetch_outcome::complete, begun + 2 * minute_ms);
  CHECK(!fetches.may_close(begun + 2 * minute_ms));
}

TEST_CASE("boundary fetches: when nobody came in time before, all are waited for") {
  auto fetches = of_symbols(1);
  fetches.begin(first_due, {0}, begun);
  fetches.came(0, fetch_outcome::failed, begun);
  fetches.close();
  fetches.begin(next_due, {0}, begun + minute_ms);
  CHECK(!fetches.may_close(begun + minute_ms));
}

TEST_CASE(
    "boundary fetches: a newest candle that is late is asked for again, every second, until it "
    "is a gap") {
  auto fetches = of_symbols(2);
  fetches.begin(first_due, {0, 1}, begun);
  fetches.came(0, fetch_outcome::newest_missing, begun);
  fetches.came(1, fetch_outcome::complete, begun);
  CHECK(!fetches.may_close(begun));
  CHECK(fetches.look_again_at() == begun + 1000);
  CHECK(fetches.begin_again(begun + 999).empty());
  CHECK(fetches.begin_again(begun + 1000) == symbol_ids{0});
  CHECK(fetches.begin_again(begun + 1000).empty()); // under way
  fetches.came(0, fetch_outcome::newest_missing, begun + 1010);
  CHECK(fetches.look_again_at() == begun + 2010);
  CHECK(fetches.may_close(first_due + 21'500));
  CHECK(fetches.close().empty());
  CHECK(fetches.begin(next_due, {0, 1}, begun + minute_ms) == symbol_ids{0, 1});
  fetches.came(1, fetch_outcome::complete, begun + minute_ms);
  CHECK(!fetches.may_close(begun + minute_ms)); // it answered in time
}

TEST_CASE("boundary fetches: of an old boundary no newest candle is waited for") {
  auto fetches = of_symbols(1);
  const instant now = first_due + 50'000; // the node has just started
  fetches.begin(first_due, {0}, now);
  CHECK(!fetches.may_close(now));
  CHECK(fetches.look_again_at() == now + 20'000);
  CHECK(!fetches.came(0, fetch_outcome::newest_missing, now));
  CHECK(fetches.may_close(now));
}

TEST_CASE("boundary fetches: a boundary that nobody is behind is over at once") {
  auto fetches = of_symbols(1);
  CHECK(fetches.begin(first_due, {}, begun).empty());
  CHECK(fetches.may_close(begun));
}

TEST_CASE(
    "boundary fetches: as long as symbols come for the first time, the others are waited for") {
  auto fetches = of_symbols(3);
  fetches.begin(first_due, {0, 1, 2}, begun);
  CHECK(!fetches.came(0, fetch_outcome::complete, begun + 19'000)); // days of candles
  CHECK(!fetches.may_close(begun + 38'999));
  CHECK(!fetches.came(1, fetch_outcome::complete, begun + 38'000));
  CHECK(!fetches.may_close(begun + 57'999));
  CHECK(fetches.may_close(begun + 58'000)); // nobody came for too long
  CHECK(fetches.close() == symbol_ids{2});
  fetches.begin(next_due, {0, 1}, begun + minute_ms);
  fetches.came(0, fetch_outcome::complete, begun + minute_ms + 19'000);
  CHECK(fetches.may_close(begun + minute_ms + 20'000)); // as usual
}
