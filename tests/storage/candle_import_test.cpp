#include "storage/candle_import.hpp"

#include "messages/error.hpp"
#include "storage/memory_store.hpp"
#include "tests/actors/exchange/candle_fixtures.hpp"

#include <doctest/doctest.h>

using namespace backtest;
using namespace backtest::test;

namespace {

const cached_series series{"paper", "BTCUSDT", interval::m1};
constexpr instant long_after = new_year + 1000 * day_ms;

} // namespace

TEST_CASE("candle import: what is missing between the candles stays unknown") {
  const auto target = make_memory_store();
  const auto given = flat_series({0, 1, 2, 5, 6}).candles;
  import_candles(*target, series, given, long_after);
  const auto kept = read_cached_candles(*target, series, {new_year, new_year + 8 * minute_ms});
  CHECK(kept.candles == given);
  CHECK(kept.missing ==
        std::vector<time_range>{{new_year + 3 * minute_ms, new_year + 5 * minute_ms},
                                {new_year + 7 * minute_ms, new_year + 8 * minute_ms}});
}

TEST_CASE("candle import: a candle that is not closed refuses them all") {
  const auto target = make_memory_store();
  const auto problem = error_of([&] {
    import_candles(*target, series, flat_series({0, 1}).candles, new_year + 2 * minute_ms - 1);
  });
  REQUIRE(problem);
  CHECK(problem->code == error_code::bad_candles);
  CHECK(problem->message.find("2024-01-01T00:01:00") != std::string::npos);
  CHECK(target->scan(store_space::candles, "").empty());
}

TEST_CASE("candle import: no candles, nothing written") {
  const auto target = make_memory_store();
  import_candles(*target, series, {}, long_after);
  CHECK(target->scan(store_space::candles, "").empty());
}
