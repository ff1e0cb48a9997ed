#include "actors/exchange/candle_copies.hpp"

#include "tests/actors/exchange/candle_fixtures.hpp"

#include <cmath>

#include <doctest/doctest.h>

using namespace backtest;
using namespace backtest::test;

namespace {

bool is_unknown(const candle& item) {
  return item.open_time < 0 && std::isnan(item.open) && std::isnan(item.high) &&
         std::isnan(item.low) && std::isnan(item.close) && std::isnan(item.volume);
}

std::vector<candle> some_candles(std::size_t count) {
  std::vector<candle> made;
  for (std::size_t i = 0; i < count; ++i)
    made.push_back(flat_candle(static_cast<std::int64_t>(i), 100));
  return made;
}

} // namespace

TEST_CASE("candle copies: equal to what they were made from, and followed by no candle") {
  candle_copies copies;
  for (const std::size_t count : {0U, 1U, 7U, 1023U, 1024U, 1025U, 5000U, 200'000U}) {
    CAPTURE(count);
    const auto known = some_candles(count);
    const auto copy = copies.add(known);
    CHECK(std::equal(copy.begin(), copy.end(), known.begin(), known.end()));
    CHECK(copy.data() != known.data());
    for (std::size_t further = 0; further < candle_copies::guard; ++further)
      REQUIRE(is_unknown(copy.data()[copy.size() + further]));
  }
}

TEST_CASE("candle copies: one does not touch another, and each ends where no candle follows") {
  candle_copies copies;
  const auto known = some_candles(700);
  std::vector<std::span<const candle>> given;
  for (std::size_t count = 1; count <= known.size(); count += 3)
    given.push_back(copies.add(std::span{known}.first(count)));
  for (const auto copy : given) {
    REQUIRE(std::equal(copy.begin(), copy.end(), known.begin()));
    REQUIRE(is_unknown(copy.data()[copy.size()]));
  }
}

TEST_CASE("candle copies: cleared memory holds no candle for the next one who gets it") {
  const auto known = some_candles(900);
  candle_copies ahead;
  const auto copy = ahead.add(known);
  ahead.clear();
  candle_copies behind;
  const auto first = behind.add(std::span{known}.first(1));
  REQUIRE(first.data() == copy.data()); // the same memory
  for (std::size_t i = 1; i < known.size(); ++i)
    REQUIRE(is_unknown(first.data()[i]));
}
