#include "storage/candle_cache.hpp"

#include "messages/error.hpp"
#include "storage/memory_store.hpp"

#include <doctest/doctest.h>

#include <bit>
#include <functional>
#include <map>
#include <random>

using namespace backtest;

namespace {

constexpr instant start = 19'723 * day_ms; // 2024-01-01, the start of a block of minutes
const cached_series minutes{"binance", "BTC/USDT", interval::m1};

candle bar_at(instant when, double price = 100) {
  return {when, price, price + 1, price - 1, price + 0.1, 3};
}

std::vector<candle> bars(instant from, instant until, instant length = minute_ms) {
  std::vector<candle> all;
  for (instant when = from; when < until; when += length)
    all.push_back(bar_at(when));
  return all;
}

void write(store& target, const cached_series& series, time_range range,
           const std::vector<candle>& candles) {
  store_batch batch;
  CHECK(write_cached_candles(batch, target, series, range, candles).empty());
  target.commit(batch);
}

time_range minute_range(int from, int until) {
  return {start + from * minute_ms, start + until * minute_ms};
}

/// The store's only block, changed.
void change_block(store& target, const std::function<void(std::string&)>& change) {
  auto blocks = target.scan(store_space::candles, "");
  REQUIRE(blocks.size() == 1);
  change(blocks.front().value);
  store_batch batch;
  batch.put(store_space::candles, blocks.front().key, blocks.front().value);
  target.commit(batch);
}

bool same_bits(double left, double right) {
  return std::bit_cast<std::uint64_t>(left) == std::bit_cast<std::uint64_t>(right);
}

} // namespace

TEST_CASE("candle cache: what was written is read, and nothing of it is missing") {
  const auto target = make_memory_store();
  const auto range = minute_range(-10, 3000); // over four blocks
  CHECK(missing_candles(*target, minutes, range) == std::vector<time_range>{range});
  const auto all = bars(range.from, range.until);
  write(*target, minutes, range, all);
  CHECK(target->scan(store_space::candles, "").size() == 4);
  CHECK(target->scan(store_space::candles, "binance/BTC%2FUSDT/1m/").size() == 4);
  const auto found = read_cached_candles(*target, minutes, range);
  CHECK(found.candles == all);
  CHECK(found.missing.empty());
  CHECK(found.corrupt.empty());
  // A part of it, and more than it.
  const auto part = minute_range(5, 2000);
  CHECK(read_cached_candles(*target, minutes, part).candles == bars(part.from, part.until));
  const auto more = read_cached_candles(*target, minutes, minute_range(-3000, 9000));
  CHECK(more.candles == all);
  CHECK(more.missing ==
        std::vector<time_range>{minute_range(-3000, -10), minute_range(3000, 9000)});
}

TEST_CASE("candle cache: series do not see each other") {
  const auto target = make_memory_store();
  const auto range = minute_range(0, 60);
  write(*target, minutes, range, bars(range.from, range.until));
  for (const auto& other :
       {cached_series{"binance", "BTC/USDT", interval::m3},
        cached_series{"binance", "BTC", interval::m1}, cached_series{"b", "BTC/USDT", interval::m1},
        cached_series{"binance", "BTC/USD", interval::m1}})
    CHECK(read_cached_candles(*target, other, range).candles.empty());
}

TEST_CASE("candle cache: a gap inside a range that was answered is known to be one") {
  const auto target = make_memory_store();
  auto all = bars(start, start + 10 * minute_ms);
  all.erase(all.begin() + 4, all.begin() + 6);
  write(*target, minutes, minute_range(0, 10), all);
  const auto found = read_cached_candles(*target, minutes, minute_range(0, 10));
  CHECK(found.candles == all);
  CHECK(found.missing.empty());
  // Nothing at all is an answer too.
  write(*target, minutes, minute_range(20, 30), {});
  CHECK(missing_candles(*target, minutes, minute_range(0, 30)) ==
        std::vector<time_range>{minute_range(10, 20)});
}

TEST_CASE("candle cache: ranges that meet or overlap become one") {
  const auto target = make_memory_store();
  const auto add = [&](int from, int until) {
    const auto range = minute_range(from, until);
    write(*target, minutes, range, bars(range.from, range.until));
  };
  add(10, 20);
  add(40, 50);
  add(0, 10);
  add(45, 60);
  CHECK(missing_candles(*target, minutes, minute_range(0, 70)) ==
        std::vector<time_range>{minute_range(20, 40), minute_range(60, 70)});
  add(15, 45);
  CHECK(missing_candles(*target, minutes, minute_range(0, 60)).empty());
  CHECK(read_cached_candles(*target, minutes, minute_range(0, 60)).candles ==
        bars(start, start + 60 * minute_ms));
}

TEST_CASE("candle cache: a newer answer replaces what is there") {
  const auto target = make_memory_store();
  write(*target, minutes, minute_range(0, 10), bars(start, start + 10 * minute_ms));
  write(*target, minutes, minute_range(3, 6), {bar_at(start + 4 * minute_ms, 200)});
  const auto found = read_cached_candles(*target, minutes, minute_range(2, 7));
  CHECK(found.candles == std::vector<candle>{bar_at(start + 2 * minute_ms),
                                             bar_at(start + 4 * minute_ms, 200),
                                             bar_at(start + 6 * minute_ms)});
}

TEST_CASE("candle cache: two answers in one batch are merged") {
  const auto target = make_memory_store();
  store_batch batch;
  write_cached_candles(batch, *target, minutes, minute_range(0, 5),
                       bars(start, start + 5 * minute_ms));
  write_cached_candles(batch, *target, minutes, minute_range(5, 9),
                       bars(start + 5 * minute_ms, start + 9 * minute_ms));
  target->commit(batch);
  const auto found = read_cached_candles(*target, minutes, minute_range(0, 9));
  CHECK(found.missing.empty());
  CHECK(found.candles.size() == 9);
}

TEST_CASE("candle cache: bounds between open times leave the same open times") {
  const auto target = make_memory_store();
  write(*target, minutes, {start + 1, start + 3 * minute_ms + 1},
        bars(start + minute_ms, start + 4 * minute_ms));
  CHECK(missing_candles(*target, minutes, {start + 1, start + 3 * minute_ms + 1}).empty());
  CHECK(missing_candles(*target, minutes, minute_range(0, 4)) ==
        std::vector<time_range>{minute_range(0, 1)});
  CHECK(missing_candles(*target, minutes, {start + 5, start + 5}).empty());
  CHECK(missing_candles(*target, minutes, {start + 5, start}).empty());
}

TEST_CASE("candle cache: every interval has its blocks") {
  for (std::size_t i = 0; i < interval_count; ++i) {
    const auto size = static_cast<interval>(i);
    const auto target = make_memory_store();
    const cached_series series{"x", "y", size};
    const instant length = length_of(size);
    const instant middle = block_start(start, size) + block_length(size);
    const time_range range{middle - 3 * length, middle + 3 * length};
    const auto all = bars(range.from, range.until, length);
    write(*target, series, range, all);
    CHECK(target->scan(store_space::candles, "").size() == 2);
    CHECK(read_cached_candles(*target, series, range).candles == all);
    CHECK(missing_candles(*target, series, {range.from - 1, range.until + 1}).size() == 1);
  }
}

TEST_CASE("candle cache: a damaged block is absent, named, and replaced by the next answer") {
  const auto whole = [] {
    auto target = make_memory_store();
    write(*target, minutes, minute_range(0, 3), bars(start, start + 3 * minute_ms));
    return target;
  };
  const auto bytes = whole()->scan(store_space::candles, "").front().value;
  CHECK(bytes.size() == 5 + 8 + 16 + 3 * 48);
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    const auto target = whole();
    change_block(*target,
                 [at](std::string& value) { value[at] = static_cast<char>(value[at] ^ 64); });
    const auto found = read_cached_candles(*target, minutes, minute_range(0, 5));
    REQUIRE(found.candles.empty());
    REQUIRE(found.missing == std::vector<time_range>{minute_range(0, 5)});
    REQUIRE(found.corrupt.size() == 1);
  }
  for (std::size_t length = 0; length < bytes.size(); ++length)
    REQUIRE_FALSE(unpack_block(std::string_view{bytes}.substr(0, length), interval::m1, start));
  CHECK_FALSE(unpack_block(bytes + "x", interval::m1, start));
  CHECK_FALSE(unpack_block(bytes, interval::m1, start + day_ms)); // of another block
  CHECK(unpack_block(bytes, interval::m1, start));

  const auto target = whole();
  change_block(*target, [](std::string& value) { value.clear(); });
  store_batch batch;
  const auto corrupt = write_cached_candles(batch, *target, minutes, minute_range(1, 2),
                                            bars(start + minute_ms, start + 2 * minute_ms));
  CHECK(corrupt == std::vector<std::string>{target->scan(store_space::candles, "").front().key});
  target->commit(batch);
  const auto found = read_cached_candles(*target, minutes, minute_range(0, 3));
  CHECK(found.corrupt.empty());
  CHECK(found.candles.size() == 1);
}

TEST_CASE("candle cache: a key that no block has is named, and harms nobody") {
  const auto target = make_memory_store();
  write(*target, minutes, minute_range(0, 3), bars(start, start + 3 * minute_ms));
  store_batch batch;
  batch.put(store_space::candles, "binance/BTC%2FUSDT/1m/00000001704067200001", "x");
  batch.put(store_space::candles, "binance/BTC%2FUSDT/1m/x", "x");
  target->commit(batch);
  const auto found = read_cached_candles(*target, minutes, minute_range(0, 2000));
  CHECK(found.candles.size() == 3);
  CHECK(found.corrupt.size() == 2);
}

TEST_CASE("candle cache: answers that break their promise are refused") {
  const auto target = make_memory_store();
  store_batch batch;
  const auto refused = [&](time_range range, const std::vector<candle>& candles) {
    try {
      write_cached_candles(batch, *target, minutes, range, candles);
    } catch (const failure& problem) {
      return problem.code() == error_code::invalid_argument;
    }
    return false;
  };
  CHECK(refused(minute_range(0, 5), {bar_at(start + 1)}));
  CHECK(refused(minute_range(0, 5), {bar_at(start + 5 * minute_ms)}));
  CHECK(refused(minute_range(1, 5), {bar_at(start)}));
  CHECK(refused(minute_range(0, 5), {bar_at(start), bar_at(start)}));
  CHECK(refused(minute_range(0, 5), {bar_at(start + minute_ms), bar_at(start)}));
  CHECK(refused({-minute_ms, 0}, {}));
  CHECK(batch.empty());
}

TEST_CASE("candle cache: numbers come back bit by bit") {
  const auto target = make_memory_store();
  std::mt19937_64 random{7};
  std::vector<candle> all = bars(start, start + 500 * minute_ms);
  for (auto& bar : all)
    for (double* number : {&bar.open, &bar.high, &bar.low, &bar.close, &bar.volume})
      *number = std::bit_cast<double>(random());
  write(*target, minutes, minute_range(0, 500), all);
  const auto found = read_cached_candles(*target, minutes, minute_range(0, 500)).candles;
  REQUIRE(found.size() == all.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    REQUIRE(same_bits(found[i].open, all[i].open));
    REQUIRE(same_bits(found[i].high, all[i].high));
    REQUIRE(same_bits(found[i].low, all[i].low));
    REQUIRE(same_bits(found[i].close, all[i].close));
    REQUIRE(same_bits(found[i].volume, all[i].volume));
  }
}

TEST_CASE("candle cache: random answers leave what they leave in a map of minutes") {
  for (const std::uint64_t seed : {1U, 2U, 3U, 4U}) {
    CAPTURE(seed);
    std::mt19937_64 random{seed};
    const auto target = make_memory_store();
    constexpr int span = 4000;
    std::map<int, std::optional<double>> known; // price, or that there is none
    for (int round = 0; round < 60; ++round) {
      const int from = static_cast<int>(random() % span);
      const int until = from + static_cast<int>(random() % 500);
      std::vector<candle> answer;
      for (int minute = from; minute < until; ++minute) {
        known[minute] = std::nullopt;
        if (random() % 10 == 0)
          continue;
        known[minute] = static_cast<double>(round);
        answer.push_back(bar_at(start + minute * minute_ms, round));
      }
      write(*target, minutes, minute_range(from, until), answer);

      const int first = static_cast<int>(random() % span);
      const int end = first + static_cast<int>(random() % 2000);
      std::vector<candle> expected;
      std::vector<time_range> missing;
      for (int minute = first; minute < end; ++minute) {
        const auto at = known.find(minute);
        if (at != known.end()) {
          if (at->second)
            expected.push_back(bar_at(start + minute * minute_ms, *at->second));
        } else if (!missing.empty() && missing.back().until == start + minute * minute_ms) {
          missing.back().until += minute_ms;
        } else {
          missing.push_back(minute_range(minute, minute + 1));
        }
      }
      const auto found = read_cached_candles(*target, minutes, minute_range(first, end));
      REQUIRE(found.candles == expected);
      REQUIRE(found.missing == missing);
      REQUIRE(found.corrupt.empty());
    }
  }
}
