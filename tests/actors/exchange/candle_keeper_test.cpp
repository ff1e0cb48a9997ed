#include "actors/exchange/candle_keeper.hpp"

#include "actors/exchange/candle_loader.hpp"
#include "messages/error.hpp"
#include "storage/memory_store.hpp"
#include "tests/actors/exchange/candle_fixtures.hpp"

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
  bool shows_unclosed = false;
  instant down_from = INT64_MAX; ///< what opens then and later cannot be fetched

  std::vector<candle> answer(const candle_query& query) {
    asked.push_back({query.since, query.until});
    if (query.since >= down_from)
      throw std::runtime_error("down");
    std::vector<candle> batch;
    for (instant when = query.since; when < query.until; when += minute_ms)
      if ((when + minute_ms <= now || (shows_unclosed && when <= now)) &&
          std::find(gaps.begin(), gaps.end(), when) == gaps.end())
        batch.push_back({when, 100, 101, 99, 100, 1});
    return batch;
  }
};

/// One node's life: its loader and its keeper.
struct node {
  std::shared_ptr<candle_keeper> keeper;
  candle_loader loader;

  explicit node(world& around, const std::string& exchange = "paper")
      : keeper(std::make_shared<candle_keeper>(
            exchange, around.archive,
            [&around](error problem) { around.told.push_back(std::move(problem)); })),
        loader(schema_of(around, exchange), {}, {}, keeper) {}

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

constexpr instant minutes(std::int64_t count) { return count * minute_ms; }

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
    REQUIRE(all[i].open_time == new_year + minutes(static_cast<std::int64_t>(i)));
}

TEST_CASE("candle keeper: of a market that goes on, whole hours are kept, and nothing else is "
          "asked again") {
  world around;
  around.now = new_year + minutes(90);
  node running{around};
  running.load(new_year, new_year + minutes(90));
  for (int minute = 91; minute <= 150; ++minute) {
    around.now = new_year + minutes(minute);
    running.load(new_year, around.now);
  }
  CHECK(around.archive->writes == 61); // `store` was called that often; twice with something to do
  around.asked.clear();
  const auto again = node{around}.load(new_year, around.now);
  CHECK(again.size() == 150);
  REQUIRE(around.asked.size() == 1);
  CHECK(around.asked.front().from == new_year + minutes(120));
}

TEST_CASE("candle keeper: a candle that is not closed is never kept") {
  world around;
  around.shows_unclosed = true;
  around.now = new_year + minutes(60) - 1; // the hour's last candle still forms
  node{around}.load(new_year, new_year + minutes(60));
  around.now = new_year + minutes(60) + 1;
  around.asked.clear();
  node{around}.load(new_year, new_year + minutes(60));
  REQUIRE(!around.asked.empty());
  CHECK(around.asked.front().from <= new_year + minutes(59));
  const auto kept = read_cached_candles(*around.archive->target, {"paper", "BTCUSDT", interval::m1},
                                        {new_year, new_year + minutes(60)});
  for (const auto& item : kept.candles)
    CHECK(item.open_time + minute_ms <= around.now);
}

TEST_CASE("candle keeper: a gap is known for good when it is old and candles follow it") {
  world around;
  SUBCASE("old, within a day") { around.gaps = {new_year + minutes(100)}; }
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
    around.now = new_year + minutes(130);
    around.gaps = {new_year + minutes(100)};
    node{around}.load(new_year, around.now);
    around.asked.clear();
    around.gaps.clear(); // it came late
    CHECK(node{around}.load(new_year, around.now).size() == 130);
    CHECK(around.asked.front().from <= new_year + minutes(100));
  }
  SUBCASE("at the end: the source may have had nothing to say") {
    for (instant when = new_year + minutes(700); when < new_year + day_ms; when += minute_ms)
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
    online.loader.load("BTCUSDT", interval::m1, new_year, new_year + minutes(90),
                       candle_extent{new_year, new_year + minutes(90)});
    online.keeper->store();
  }
  CHECK(around.asked == std::vector<time_range>{{new_year, new_year + minutes(90)}});
  around.asked.clear();
  around.down_from = 0;
  node offline{around};
  const auto load = [&](instant from, instant until, const candle_extent& extent) {
    return offline.loader.load("BTCUSDT", interval::m1, from, until, extent);
  };
  SUBCASE("of a day that is not whole") {
    CHECK(offline.load(new_year + minutes(30), new_year + minutes(85)).size() >= 55);
    CHECK(around.asked.empty());
  }
  SUBCASE("with a day before it that is welcome") {
    candle_extent extent{new_year - day_ms, new_year + minutes(85), true};
    const auto loaded = load(new_year + minutes(30), new_year + minutes(85), extent);
    CHECK(loaded.from == new_year);
    CHECK(loaded.until == new_year + minutes(85));
    CHECK(around.asked.size() == 1); // once, and without it
  }
  SUBCASE("in parts") {
    const auto first = load(new_year, new_year + minutes(30), {new_year, new_year + minutes(30)});
    CHECK(first.until == new_year + minutes(30));
    const auto more = load(new_year, new_year + minutes(1440),
                           {new_year, new_year + minutes(1440), false, first.until});
    CHECK(more.until == new_year + minutes(90));
    CHECK(more.series->candles.size() == 90);
    CHECK(around.asked.empty());
    CHECK_THROWS_AS(load(new_year, new_year + minutes(1440),
                         {new_year, new_year + minutes(1440), false, more.until}),
                    failure);
  }
}
