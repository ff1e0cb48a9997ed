#include "actors/exchange/candle_keeper.hpp"

#include "actors/exchange/candle_loader.hpp"
#include "messages/error.hpp"
#include "storage/memory_store.hpp"
#include "tests/actors/exchange/candle_fixtures.hpp"

#include <map>

#include <doctest/doctest.h>

using namespace backtest;
using namespace backtest::test;

namespace {

struct memory_archive : candle_archive {
  void read(const std::function<void(const store_reader&)>& work) override {
    if (broken)
      throw failure(error_code::store_failed, "no disk");
    work(*target);
  }
  void write(const std::function<void(store&)>& work) override {
    if (broken)
      throw failure(error_code::store_failed, "no disk");
    ++writes;
    work(*target);
  }
  std::unique_ptr<store> target = make_memory_store();
  bool broken = false;
  int writes = 0;
};

/// What outlives a node: the store, and the market with a candle every minute but for `gaps`.
struct world {
  std::shared_ptr<memory_archive> archive = std::make_shared<memory_archive>();
  instant now = new_year + 10 * day_ms;
  std::vector<instant> gaps;
  std::vector<time_range> asked;
  std::vector<error> told;
  std::map<instant, double> closes; ///< of candles that differ from the others
  bool shows_unclosed = false;
  instant down_from = INT64_MAX; ///< what opens then and later cannot be fetched
  instant down_before = 0;       ///< nor what opens earlier than that

  std::vector<candle> answer(const candle_query& query) {
    asked.push_back({query.since, query.until});
    if (query.since >= down_from || query.since < down_before)
      throw std::runtime_error("down");
    std::vector<candle> batch;
    for (instant when = query.since; when < query.until; when += minute_ms)
      if ((when + minute_ms <= now || (shows_unclosed && when <= now)) &&
          std::find(gaps.begin(), gaps.end(), when) == gaps.end())
        batch.push_back({when, 100, 101, 99, closes.count(when) > 0 ? closes[when] : 100, 1});
    return batch;
  }
};

/// One node's life: its loader and its keeper.
struct node {
  std::shared_ptr<candle_keeper> keeper;
  candle_loader loader;

  explicit node(world& around, const std::string& exchange = "paper", configuration limits = {})
      : keeper(std::make_shared<candle_keeper>(
            exchange, around.archive,
            [&around](error problem) { around.told.push_back(std::move(problem)); })),
        loader(schema_of(around, exchange), limits, {}, keeper) {}

  std::vector<candle> load(instant from, instant until) {
    const auto loaded = loader.load("BTCUSDT", interval::m1, from, until);
    keeper->store();
    return loaded.series->candles;
  }

  static exchange_schema schema_of(world& around, const std::string& exchange) {
    exchange_schema schema;
    schema.exchange_name = exchange;
    schema.get_candles = [&around](const candle_query& query) { return around.answer(query); };
    schema.now = [&around] { return around.now; };
    schema.keeps_candles = true;
    return schema;
  }
};

constexpr instant in_minutes(std::int64_t count) { return count * minute_ms; }

} // namespace

TEST_CASE("candle keeper: what one node fetched the next one does not ask for") {
  world around;
  const auto first = node{around}.load(new_year, new_year + 3 * day_ms);
  CHECK(first.size() == 3 * 1440);
  CHECK(around.asked.size() == 3);
  CHECK(around.archive->writes == 1);
  const auto second = node{around}.load(new_year, new_year + 3 * day_ms);
  CHECK(around.asked.size() == 3);
  CHECK(second == first);
  CHECK(around.told.empty());
}

TEST_CASE("candle keeper: of a range partly kept the rest is fetched, in order of time") {
  world around;
  node{around}.load(new_year + day_ms, new_year + 2 * day_ms);
  around.asked.clear();
  const auto all = node{around}.load(new_year, new_year + 3 * day_ms);
  CHECK(around.asked == std::vector<time_range>{{new_year, new_year + day_ms},
                                                {new_year + 2 * day_ms, new_year + 3 * day_ms}});
  REQUIRE(all.size() == 3 * 1440);
  for (std::size_t i = 0; i < all.size(); ++i)
    REQUIRE(all[i].open_time == new_year + in_minutes(static_cast<std::int64_t>(i)));
}

TEST_CASE("candle keeper: of a market that goes on, whole hours are kept, and nothing else is "
          "asked again") {
  world around;
  around.now = new_year + in_minutes(90);
  node running{around};
  running.load(new_year, new_year + in_minutes(90));
  for (int minute = 91; minute <= 150; ++minute) {
    around.now = new_year + in_minutes(minute);
    running.load(new_year, around.now);
  }
  CHECK(around.archive->writes == 61); // `store` was called that often; twice with something to do
  around.asked.clear();
  const auto again = node{around}.load(new_year, around.now);
  CHECK(again.size() == 150);
  REQUIRE(around.asked.size() == 1);
  CHECK(around.asked.front().from == new_year + in_minutes(120));
}

TEST_CASE("candle keeper: a candle that is not closed is never kept") {
  world around;
  around.shows_unclosed = true;
  around.now = new_year + in_minutes(60) - 1; // the hour's last candle still forms
  node{around}.load(new_year, new_year + in_minutes(60));
  around.now = new_year + in_minutes(60) + 1;
  around.asked.clear();
  node{around}.load(new_year, new_year + in_minutes(60));
  REQUIRE(!around.asked.empty());
  CHECK(around.asked.front().from <= new_year + in_minutes(59));
  const auto kept = read_cached_candles(*around.archive->target, {"paper", "BTCUSDT", interval::m1},
                                        {new_year, new_year + in_minutes(60)});
  for (const auto& item : kept.candles)
    CHECK(item.open_time + minute_ms <= around.now);
}

TEST_CASE("candle keeper: a gap is known for good when it is old and candles follow it") {
  world around;
  SUBCASE("old, within a day") { around.gaps = {new_year + in_minutes(100)}; }
  SUBCASE("old, around midnight") {
    around.gaps = {new_year + day_ms - minute_ms, new_year + day_ms};
  }
  node{around}.load(new_year, new_year + 2 * day_ms);
  around.asked.clear();
  node{around}.load(new_year, new_year + 2 * day_ms);
  CHECK(around.asked.empty());
}

TEST_CASE("candle keeper: a gap that is young, or ends an answer, is asked for again") {
  world around;
  SUBCASE("young") {
    around.now = new_year + in_minutes(130);
    around.gaps = {new_year + in_minutes(100)};
    node{around}.load(new_year, around.now);
    around.asked.clear();
    around.gaps.clear(); // it came late
    CHECK(node{around}.load(new_year, around.now).size() == 130);
    CHECK(around.asked.front().from <= new_year + in_minutes(100));
  }
  SUBCASE("at the end: the source may have had nothing to say") {
    for (instant when = new_year + in_minutes(700); when < new_year + day_ms; when += minute_ms)
      around.gaps.push_back(when);
    node{around}.load(new_year, new_year + day_ms);
    around.gaps.clear();
    CHECK(node{around}.load(new_year, new_year + day_ms).size() == 1440);
  }
}

TEST_CASE("candle keeper: an exchange of another name is not served") {
  world around;
  node{around}.load(new_year, new_year + day_ms);
  around.asked.clear();
  node{around, "other"}.load(new_year, new_year + day_ms);
  CHECK(around.asked == std::vector<time_range>{{new_year, new_year + day_ms}});
}

TEST_CASE("candle keeper: a damaged block is fetched again, told and replaced") {
  world around;
  const auto first = node{around}.load(new_year, new_year + 2 * day_ms);
  auto entries = around.archive->target->scan(store_space::candles, "");
  REQUIRE(entries.size() == 2);
  entries[0].value[20] = static_cast<char>(entries[0].value[20] ^ 1);
  store_batch batch;
  batch.put(store_space::candles, entries[0].key, entries[0].value);
  around.archive->target->commit(batch);
  around.asked.clear();
  CHECK(node{around}.load(new_year, new_year + 2 * day_ms) == first);
  CHECK(around.asked == std::vector<time_range>{{new_year, new_year + day_ms}});
  REQUIRE(!around.told.empty());
  CHECK(around.told.front().code == error_code::corrupt_state);
  CHECK(around.told.front().message.find("exchange paper: kept 1m candles of BTCUSDT") == 0);
  around.asked.clear();
  around.told.clear();
  CHECK(node{around}.load(new_year, new_year + 2 * day_ms) == first);
  CHECK(around.asked.empty());
  CHECK(around.told.empty());
}

TEST_CASE("candle keeper: a store that fails costs a fetch and an error, nothing else") {
  world around;
  around.archive->broken = true;
  CHECK(node{around}.load(new_year, new_year + day_ms).size() == 1440);
  REQUIRE(around.told.size() == 2);
  CHECK(around.told[0].code == error_code::store_failed);
  CHECK(around.told[0].message ==
        "exchange paper: candles of BTCUSDT are fetched, as those kept cannot be read: no disk");
  CHECK(around.told[1].message ==
        "exchange paper: candles could not be kept and will be fetched again: no disk");
}

TEST_CASE("candle keeper: days fetched before a fetch failed are kept") {
  world around;
  around.down_from = new_year + 2 * day_ms;
  node failing{around};
  CHECK(error_of([&] { failing.load(new_year, new_year + 3 * day_ms); }));
  failing.keeper->store();
  around.down_from = INT64_MAX;
  around.asked.clear();
  CHECK(node{around}.load(new_year, new_year + 3 * day_ms).size() == 3 * 1440);
  CHECK(around.asked == std::vector<time_range>{{new_year + 2 * day_ms, new_year + 3 * day_ms}});
}

TEST_CASE("candle keeper: what is kept is enough for who needs no more, without a network") {
  world around;
  {
    node online{around};
    online.loader.load("BTCUSDT", interval::m1, new_year, new_year + in_minutes(90),
                       candle_extent{new_year, new_year + in_minutes(90)});
    online.keeper->store();
  }
  CHECK(around.asked == std::vector<time_range>{{new_year, new_year + in_minutes(90)}});
  around.asked.clear();
  around.down_from = 0;
  node offline{around};
  const auto load = [&](instant from, instant until, const candle_extent& extent) {
    return offline.loader.load("BTCUSDT", interval::m1, from, until, extent);
  };
  SUBCASE("of a day that is not whole") {
    CHECK(offline.load(new_year + in_minutes(30), new_year + in_minutes(85)).size() >= 55);
    CHECK(around.asked.empty());
  }
  SUBCASE("with a day before it that is welcome") {
    candle_extent extent{new_year - day_ms, new_year + in_minutes(85), true};
    const auto loaded = load(new_year + in_minutes(30), new_year + in_minutes(85), extent);
    CHECK(loaded.from == new_year);
    CHECK(loaded.until == new_year + in_minutes(85));
    CHECK(around.asked.size() == 1); // once, and without it
  }
  SUBCASE("in parts") {
    const auto first = load(new_year, new_year + in_minutes(30), {new_year, new_year + in_minutes(30)});
    CHECK(first.until == new_year + in_minutes(30));
    const auto more = load(new_year, new_year + in_minutes(1440),
                           {new_year, new_year + in_minutes(1440), false, first.until});
    CHECK(more.until == new_year + in_minutes(90));
    CHECK(more.series->candles.size() == 90);
    CHECK(around.asked.empty());
    CHECK_THROWS_AS(load(new_year, new_year + in_minutes(1440),
                         {new_year, new_year + in_minutes(1440), false, more.until}),
                    failure);
  }
}

namespace {

/// A node that asks for the newest candles at every minute, from the `first` to the `last` one
/// after `midnight`.
void follow(node& running, world& around, instant midnight, std::int64_t first, std::int64_t last) {
  for (std::int64_t minute = first; minute <= last; ++minute) {
    around.now = midnight + in_minutes(minute);
    running.load(midnight - day_ms, around.now);
  }
}

cached_candles kept_by(const world& around, time_range range) {
  return read_cached_candles(*around.archive->target, {"paper", "BTCUSDT", interval::m1}, range);
}

double close_in(std::span<const candle> candles, instant when) {
  for (const auto& item : candles)
    if (item.open_time == when)
      return item.close;
  return 0;
}

} // namespace

TEST_CASE(
    "candle keeper: of a candle that is revised after its close the last version is kept, and "
    "what was decided on stays") {
  world around;
  node running{around};
  follow(running, around, new_year, 1, 30);
  const instant revised = new_year + in_minutes(29);
  around.closes[revised] = 100.5;
  follow(running, around, new_year, 31, 70);
  CHECK(close_in(running.load(new_year - day_ms, around.now), revised) == 100);
  const auto kept = kept_by(around, {new_year, new_year + in_minutes(60)});
  CHECK(kept.missing.empty());
  CHECK(close_in(kept.candles, revised) == 100.5);
  REQUIRE(around.told.size() == 1);
  CHECK(
      around.told.front() ==
      error{error_code::candle_revised,
            "exchange paper: BTCUSDT 1m candle of 2024-01-01T00:29:00Z was revised after its "
            "close: first open 100, high 101, low 99, close 100, volume 1; now open 100, high 101, "
            "low 99, close 100.5, volume 1; what was decided on the first stays as it is, the "
            "newer one is kept"});
  CHECK(close_in(node{around}.load(new_year - day_ms, around.now), revised) == 100.5);
}

TEST_CASE("candle keeper: asking once more takes no request of its own, but one after midnight") {
  world around;
  node running{around};
  const instant midnight = new_year + day_ms;
  around.now = midnight - in_minutes(30);
  running.load(midnight - day_ms, around.now);
  around.asked.clear();
  follow(running, around, midnight, -29, -1);
  CHECK(around.asked.size() == 29);
  CHECK(around.asked.back().from == midnight - in_minutes(7)); // 5 minutes, and the new one
  around.asked.clear();
  follow(running, around, midnight, 0, 0);
  around.closes[midnight - minute_ms] = 100.5;
  follow(running, around, midnight, 1, 60);
  CHECK(around.asked.size() == 61 + 1);
  for (const auto& range : around.asked)
    CHECK(align_down(range.from, day_ms) == align_down(range.until - 1, day_ms));
  REQUIRE(around.told.size() == 1);
  CHECK(around.told.front().code == error_code::candle_revised);
  CHECK(kept_by(around, {new_year, midnight}).missing.empty());
  CHECK(close_in(kept_by(around, {new_year, midnight}).candles, midnight - minute_ms) == 100.5);
}

TEST_CASE("candle keeper: candles are asked for once more only where that is wanted") {
  configuration limits;
  limits.candle_revision_minutes = 0;
  world around;
  node running{around, "paper", limits};
  around.now = new_year + in_minutes(30);
  running.load(new_year, around.now);
  around.closes[new_year + in_minutes(29)] = 100.5;
  around.now += minute_ms;
  running.load(new_year, around.now);
  CHECK(around.asked.back().from == new_year + in_minutes(30));
  CHECK(around.told.empty());
}

TEST_CASE("candle keeper: what closed just before a fetch is not kept by it") {
  world around;
  around.now = new_year + day_ms + 30'000; // a backtest of yesterday, right after midnight
  node{around}.load(new_year, new_year + day_ms);
  const time_range last{new_year + day_ms - in_minutes(5), new_year + day_ms};
  CHECK(kept_by(around, {new_year, new_year + day_ms}).missing == std::vector<time_range>{last});
  around.now += in_minutes(5);
  around.asked.clear();
  node{around}.load(new_year, new_year + day_ms);
  CHECK(around.asked == std::vector<time_range>{last});
  CHECK(kept_by(around, {new_year, new_year + day_ms}).missing.empty());
}

TEST_CASE("candle keeper: a candle that comes late, or is taken back, is told") {
  world around;
  node running{around};
  const instant changed = new_year + in_minutes(28);
  SUBCASE("late: it is kept") {
    around.gaps = {changed};
    follow(running, around, new_year, 1, 30);
    around.gaps.clear();
    follow(running, around, new_year, 31, 70);
    REQUIRE(around.told.size() == 1);
    CHECK(around.told.front().code == error_code::candle_revised);
    CHECK(around.told.front().message.find("first no candle; now open 100,") != std::string::npos);
    CHECK(kept_by(around, {new_year, new_year + in_minutes(60)}).missing.empty());
    CHECK(close_in(running.load(new_year - day_ms, around.now), changed) == 0);
  }
  SUBCASE("taken back: whoever comes later asks for it") {
    follow(running, around, new_year, 1, 30);
    around.gaps = {changed};
    follow(running, around, new_year, 31, 70);
    REQUIRE(around.told.size() == 1);
    CHECK(around.told.front().message.find("now no candle") != std::string::npos);
    CHECK(kept_by(around, {new_year, new_year + in_minutes(60)}).missing ==
          std::vector<time_range>{{changed, changed + minute_ms}});
    CHECK(close_in(running.load(new_year - day_ms, around.now), changed) == 100);
  }
}

TEST_CASE("candle keeper: a bad revision is told and not kept, and spoils no new candle") {
  world around;
  node running{around};
  follow(running, around, new_year, 1, 30);
  const instant revised = new_year + in_minutes(29);
  around.closes[revised] = -1;
  follow(running, around, new_year, 31, 31);
  CHECK(running.load(new_year - day_ms, around.now).back().open_time == revised + minute_ms);
  REQUIRE(around.told.size() == 1);
  CHECK(
      around.told.front() ==
      error{error_code::bad_candles,
            "exchange paper: BTCUSDT 1m candles from 2024-01-01T00:25:00Z to 2024-01-01T00:30:00Z "
            "are not kept, as they were asked for once more: candle 4 of 5: close is -1; expected "
            "a finite price > 0"});
  around.closes.clear();
  follow(running, around, new_year, 32, 70);
  CHECK(around.told.size() == 1);
  CHECK(kept_by(around, {new_year, new_year + in_minutes(60)}).missing ==
        std::vector<time_range>{{new_year + in_minutes(25), new_year + in_minutes(30)}});
}

TEST_CASE(
    "candle keeper: yesterday's last minutes that cannot be asked for again are not kept, and "
    "hold up nothing") {
  world around;
  node running{around};
  const instant midnight = new_year + day_ms;
  follow(running, around, midnight, -10, 4);
  around.down_before = midnight;
  follow(running, around, midnight, 5, 70);
  REQUIRE(around.told.size() == 1);
  CHECK(around.told.front().code == error_code::fetch_failed);
  CHECK(around.told.front().message ==
        "exchange paper: BTCUSDT 1m candles from 2024-01-01T23:55:00Z to 2024-01-02T00:00:00Z are "
        "not kept, as they were asked for once more: down");
  CHECK(kept_by(around, {new_year, midnight + in_minutes(60)}).missing ==
        std::vector<time_range>{{midnight - in_minutes(5), midnight}});
}

TEST_CASE("candle keeper: asking for older candles lets the newest ones be asked for once more") {
  world around;
  node running{around};
  follow(running, around, new_year + 5 * day_ms, 1, 30);
  running.load(new_year, around.now);
  around.closes[around.now - minute_ms] = 100.5;
  follow(running, around, new_year + 5 * day_ms, 31, 70);
  CHECK(around.told.size() == 1);
  CHECK(kept_by(around, {new_year, new_year + 5 * day_ms + in_minutes(60)}).missing.empty());
}
