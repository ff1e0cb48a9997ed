#include "actors/exchange/candle_loader.hpp"

#include "actors/exchange/fetch_failure.hpp"
#include "messages/error.hpp"
#include "tests/actors/exchange/candle_fixtures.hpp"

#include <functional>
#include <stdexcept>
#include <vector>

#include <doctest/doctest.h>

using namespace backtest;
using namespace backtest::test;

namespace {

/// One candle a minute, everywhere in time; remembers what it was asked for.
struct minute_source {
  std::vector<candle_query> asked;
  std::vector<std::int64_t> delays;
  std::function<void(std::vector<candle>&)> spoil; ///< changes an answer
  std::vector<interval> native{interval::m1};
  exchange_callbacks callbacks;
  configuration parameters;
  bool gives_up = false;

  candle_loader loader() {
    exchange_schema schema;
    schema.exchange_name = "paper";
    schema.native_intervals = native;
    schema.callbacks = callbacks;
    schema.get_candles = [this](const candle_query& query) {
      asked.push_back(query);
      std::vector<candle> batch;
      const instant step = length_of(query.size);
      for (instant when = align_up(query.since, step); when < query.until; when += step)
        batch.push_back({when, 100, 101, 99, 100, 1});
      if (spoil)
        spoil(batch);
      return batch;
    };
    return candle_loader{schema, parameters, [this](std::chrono::milliseconds delay) {
                           delays.push_back(delay.count());
                           return !gives_up;
                         }};
  }

  /// Days asked for, counted from 2024-01-01.
  std::vector<std::int64_t> days() const {
    std::vector<std::int64_t> list;
    for (const auto& query : asked)
      list.push_back((query.since - new_year) / day_ms);
    return list;
  }
};

using list = std::vector<std::int64_t>;

} // namespace

TEST_CASE("candle loader: fails twice, then succeeds, 5 s and 10 s apart") {
  minute_source source;
  source.spoil = [&](std::vector<candle>&) {
    if (source.asked.size() < 3)
      throw std::runtime_error("busy");
  };
  auto loader = source.loader();
  CHECK(loader.load("BTC", interval::m1, new_year, new_year + day_ms).series->candles.size() ==
        1440);
  CHECK(source.delays == list{5000, 10'000});
  CHECK(source.asked.size() == 3);
}

TEST_CASE("candle loader: always fails: fetch_failed after 3 attempts, with the last text") {
  minute_source source;
  source.spoil = [&](std::vector<candle>&) {
    throw std::runtime_error(fmt::format("failure number {}", source.asked.size()));
  };
  auto loader = source.loader();
  const auto problem =
      error_of([&] { loader.load("BTC", interval::m1, new_year, new_year + day_ms); });
  REQUIRE(problem);
  CHECK(problem->code == error_code::fetch_failed);
  CHECK(problem->message == "exchange paper: BTC 1m from 2024-01-01T00:00:00Z, attempt 3 of 3: "
                            "failure number 3");
  CHECK(source.delays == list{5000, 10'000}); // no waiting after the last failure
  CHECK(source.asked.size() == 3);
}

TEST_CASE("candle loader: retry count and delay are configured") {
  minute_source source;
  source.parameters.get_candles_retry_count = 4;
  source.parameters.get_candles_retry_delay_ms = 10;
  source.spoil = [](std::vector<candle>&) { throw 7; };
  auto loader = source.loader();
  const auto problem =
      error_of([&] { loader.load("BTC", interval::m1, new_year, new_year + day_ms); });
  REQUIRE(problem);
  CHECK(problem->code == error_code::fetch_failed);
  CHECK(source.delays == list{10, 20, 40});
}

TEST_CASE("candle loader: a failure is not remembered: the next request tries anew") {
  minute_source source;
  bool down = true;
  source.spoil = [&](std::vector<candle>&) {
    if (down)
      throw std::runtime_error("down");
  };
  auto loader = source.loader();
  CHECK(error_of([&] { loader.load("BTC", interval::m1, new_year, new_year + day_ms); }));
  down = false;
  CHECK(loader.load("BTC", interval::m1, new_year, new_year + day_ms).series->candles.size() ==
        1440);
}

TEST_CASE("candle loader: a bad batch: bad_candles naming the candle, after its retries") {
  minute_source source;
  source.spoil = [](std::vector<candle>& batch) { batch[7].close = -1; };
  auto loader = source.loader();
  const auto problem =
      error_of([&] { loader.load("BTC", interval::m1, new_year, new_year + day_ms); });
  REQUIRE(problem);
  CHECK(problem->code == error_code::bad_candles);
  CHECK(problem->message == "exchange paper: BTC 1m from 2024-01-01T00:00:00Z, attempt 3 of 3: "
                            "candle 7 of 1440: close is -1; expected a finite price > 0");
  CHECK(source.delays == list{5000, 10'000});
}

TEST_CASE("candle loader: the last failure decides the code") {
  minute_source source;
  source.spoil = [&](std::vector<candle>& batch) {
    if (source.asked.size() < 3)
      batch[0].low = 0;
    else
      throw std::runtime_error("gone");
  };
  auto loader = source.loader();
  const auto problem =
      error_of([&] { loader.load("BTC", interval::m1, new_year, new_year + day_ms); });
  REQUIRE(problem);
  CHECK(problem->code == error_code::fetch_failed);
}

TEST_CASE("candle loader: a symbol that is not found is told at once, by its own code") {
  minute_source source;
  source.spoil = [](std::vector<candle>&) {
    throw failure(error_code::not_found, "symbol BTC not found; expected ETH");
  };
  auto loader = source.loader();
  const auto problem =
      error_of([&] { loader.load("BTC", interval::m1, new_year, new_year + day_ms); });
  REQUIRE(problem);
  CHECK(*problem == error{error_code::not_found,
                          "exchange paper: BTC 1m from 2024-01-01T00:00:00Z: symbol BTC not "
                          "found; expected ETH"});
  CHECK(source.asked.size() == 1);
  CHECK(source.delays.empty());
}

TEST_CASE("candle loader: a permanent failure is told at once, by its own code") {
  minute_source source;
  source.spoil = [](std::vector<candle>&) {
    throw permanent_failure(error_code::io_failed, "no such folder");
  };
  auto loader = source.loader();
  const auto problem =
      error_of([&] { loader.load("BTC", interval::m1, new_year, new_year + day_ms); });
  REQUIRE(problem);
  CHECK(*problem == error{error_code::io_failed,
                          "exchange paper: BTC 1m from 2024-01-01T00:00:00Z: no such folder"});
  CHECK(source.asked.size() == 1);
}

TEST_CASE("candle loader: a source may say when it wants to be asked again, up to five minutes") {
  minute_source source;
  const auto postponed_by = [&](std::vector<std::chrono::milliseconds> list) {
    source.spoil = [&source, list](std::vector<candle>&) {
      if (source.asked.size() <= list.size())
        throw postponed_failure(error_code::fetch_failed, "busy", list[source.asked.size() - 1]);
      if (source.asked.size() == list.size() + 1)
        throw std::runtime_error("down");
    };
  };
  source.parameters.get_candles_retry_count = 4;
  auto loader = source.loader();
  const auto load = [&] { loader.load("BTC", interval::m1, new_year, new_year + day_ms); };
  SUBCASE("every failure is an attempt, and the usual delay goes on doubling") {
    postponed_by({std::chrono::milliseconds{0}, std::chrono::minutes{5}});
    load();
    CHECK(source.delays == list{0, 300'000, 20'000});
  }
  SUBCASE("no longer") {
    postponed_by({std::chrono::milliseconds{300'001}});
    const auto problem = error_of(load);
    REQUIRE(problem);
    CHECK(*problem == error{error_code::fetch_failed,
                            "exchange paper: BTC 1m from 2024-01-01T00:00:00Z, attempt 1 of 4: "
                            "busy, longer than the 300 s that are waited"});
    CHECK(source.delays.empty());
  }
  SUBCASE("the wait may be called off") {
    source.gives_up = true;
    postponed_by({std::chrono::minutes{1}});
    const auto problem = error_of(load);
    REQUIRE(problem);
    CHECK(problem->message == "exchange paper: BTC given up while shutting down");
    CHECK(source.delays == list{60'000});
  }
}

TEST_CASE("candle loader: strategies that ask for the same candles cost one fetch") {
  minute_source source;
  auto loader = source.loader();
  const auto load = [&](interval size) {
    return loader.load("BTC", size, new_year, new_year + day_ms).series;
  };
  const auto first = load(interval::m1);
  CHECK(load(interval::m1) == first); // the same candles in memory
  const auto hours = load(interval::h1);
  CHECK(load(interval::h1) == hours);
  CHECK(load(interval::m15) != hours);
  CHECK(source.asked.size() == 1);
}

TEST_CASE("candle loader: a wait that is called off gives up at once") {
  minute_source source;
  source.gives_up = true;
  source.spoil = [](std::vector<candle>&) { throw std::runtime_error("down"); };
  auto loader = source.loader();
  const auto problem =
      error_of([&] { loader.load("BTC", interval::m1, new_year, new_year + day_ms); });
  REQUIRE(problem);
  CHECK(problem->code == error_code::fetch_failed);
  CHECK(source.asked.size() == 1);
}

TEST_CASE(
    "candle loader: a short batch, and an empty one, is no error and is not asked for again") {
  minute_source source;
  source.spoil = [](std::vector<candle>& batch) { batch.resize(batch.size() > 1440 ? 0 : 3); };
  auto loader = source.loader();
  CHECK(loader.load("BTC", interval::m1, new_year, new_year + day_ms).series->candles.size() == 3);
  CHECK(loader.load("BTC", interval::m1, new_year, new_year + day_ms).series->candles.size() == 3);
  CHECK(source.asked.size() == 1);
  source.spoil = [](std::vector<candle>& batch) { batch.clear(); };
  CHECK(loader.load("ETH", interval::m1, new_year, new_year + day_ms).series->candles.empty());
}

TEST_CASE("candle loader: whole UTC days, one fetch each") {
  minute_source source;
  auto loader = source.loader();
  const auto loaded =
      loader.load("BTC", interval::m1, new_year + 90 * minute_ms, new_year + day_ms + minute_ms);
  CHECK(source.days() == list{0, 1});
  CHECK(source.asked[0].until - source.asked[0].since == day_ms);
  CHECK(loaded.from == new_year);
  CHECK(loaded.until == new_year + 2 * day_ms);
  CHECK(loaded.series->candles.size() == 2880);
  CHECK(loaded.series->symbol == "BTC");
  CHECK(loaded.series->size == interval::m1);
}

TEST_CASE("candle loader: a larger range keeps what was fetched and fetches only what is missing") {
  minute_source source;
  auto loader = source.loader();
  const auto day = [](std::int64_t number) { return new_year + number * day_ms; };
  const auto first = loader.load("BTC", interval::m1, day(3), day(4));
  CHECK(source.days() == list{3});
  loader.load("BTC", interval::m1, day(2), day(6));
  CHECK(source.days() == list{3, 2, 4, 5});
  loader.load("BTC", interval::m1, day(3) + minute_ms, day(5)); // held
  CHECK(source.days() == list{3, 2, 4, 5});
  const auto behind = loader.load("BTC", interval::m1, day(8), day(9)); // with what lies between
  CHECK(source.days() == list{3, 2, 4, 5, 6, 7, 8});
  const auto all = loader.load("BTC", interval::m1, day(0), day(1));
  CHECK(source.days() == list{3, 2, 4, 5, 6, 7, 8, 0, 1});
  CHECK(all.series->candles.size() == 9 * 1440);
  CHECK(std::is_sorted(all.series->candles.begin(), all.series->candles.end(),
                       [](const candle& a, const candle& b) { return a.open_time < b.open_time; }));
  CHECK(first.series->candles.size() == 1440);      // what was handed out stays as it was
  loader.load("ETH", interval::m1, day(3), day(4)); // symbols are held apart
  CHECK(source.asked.back().symbol == "ETH");
}

TEST_CASE("candle loader: a market that goes on: what came later is there at the next request") {
  minute_source source;
  instant now = new_year + day_ms + 90 * minute_ms + 30'000;
  instant published = now; // candles closed by then are there
  source.spoil = [&](std::vector<candle>& batch) {
    std::erase_if(batch,
                  [&](const candle& item) { return item.open_time + minute_ms > published; });
  };
  exchange_schema schema = source.loader().schema();
  schema.now = [&] { return now; };
  candle_loader loader{schema, {}, {}};
  const auto load = [&](interval size = interval::m1) {
    const auto loaded = loader.load("BTC", size, new_year, new_year + 3 * day_ms);
    CHECK(loaded.from == new_year);
    CHECK(loaded.until == new_year + 3 * day_ms); // as was asked for
    return loaded.series;
  };
  const auto first = load();
  CHECK(first->candles.size() == 1440 + 90);
  CHECK(load(interval::h1)->candles.size() == 24 + 2);
  CHECK(source.asked.back().since == new_year + 2 * day_ms);

  CHECK(load() == first); // nothing new: the same candles in memory
  source.asked.clear();
  now = published = new_year + day_ms + 120 * minute_ms;
  CHECK(load()->candles.size() == 1440 + 120);
  REQUIRE(source.asked.size() == 2); // the rest of the day, and the day that has not begun
  CHECK(source.asked[0].since == new_year + day_ms + 90 * minute_ms);
  CHECK(source.asked[0].until == new_year + 2 * day_ms);
  CHECK(load(interval::h1)->candles.back().volume == 60); // made anew from whole hours
  CHECK(first->candles.size() == 1440 + 90);              // what was handed out stays as it was

  now += 60 * minute_ms + 1; // the market halts: for an hour it is asked, then it is a gap
  source.asked.clear();
  load();
  CHECK(source.asked.front().since == new_year + day_ms + 120 * minute_ms);
  now += 60 * minute_ms;
  load();
  source.asked.clear();
  load();
  CHECK(source.asked.front().since == new_year + day_ms + 180 * minute_ms);

  source.asked.clear(); // what lies far back is asked for once, complete or not
  loader.load("BTC", interval::m1, new_year, new_year + day_ms);
  loader.load("ETH", interval::m1, new_year - 9 * day_ms, new_year - 8 * day_ms);
  loader.load("ETH", interval::m1, new_year - 9 * day_ms, new_year - 8 * day_ms);
  CHECK(source.asked.size() == 1);
}

TEST_CASE("candle loader: larger intervals are aggregated from one-minute candles") {
  minute_source source;
  source.spoil = [](std::vector<candle>& batch) {
    batch[1].high = 120;
    batch[2].low = 80;
    batch[14].close = 101;
    std::erase_if(batch, [](const candle& item) {
      const auto minute = (item.open_time - new_year) / minute_ms;
      return minute >= 15 && minute < 30;
    });
  };
  auto loader = source.loader();
  const auto loaded = loader.load("BTC", interval::m15, new_year, new_year + day_ms);
  CHECK(loaded.series->size == interval::m15);
  REQUIRE(loaded.series->candles.size() == 95); // one has no minute at all
  CHECK(loaded.series->candles[0] == candle{new_year, 100, 120, 80, 101, 15});
  CHECK(loaded.series->candles[1].open_time == new_year + 30 * minute_ms);
  CHECK(source.asked.size() == 1);
  loader.load("BTC", interval::m1, new_year, new_year + day_ms);
  loader.load("BTC", interval::h4, new_year, new_year + day_ms);
  CHECK(source.asked.size() == 1); // made of the same minutes
  CHECK(loader.load("BTC", interval::m15, new_year, new_year + 2 * day_ms).series->candles.size() ==
        95 + 96);
}

TEST_CASE("candle loader: native intervals are asked for themselves") {
  minute_source source;
  source.native = {interval::m1, interval::h1};
  auto loader = source.loader();
  CHECK(loader.load("BTC", interval::h1, new_year, new_year + day_ms).series->candles.size() == 24);
  REQUIRE(source.asked.size() == 1);
  CHECK(source.asked[0].size == interval::h1);
  CHECK(loader.load("BTC", interval::h4, new_year, new_year + day_ms).series->candles.size() == 6);
  CHECK(source.asked[1].size == interval::m1);
}

TEST_CASE("candle loader: an interval above 1d is refused") {
  minute_source source;
  auto loader = source.loader();
  const auto problem =
      error_of([&] { loader.load("BTC", interval::d3, new_year, new_year + 3 * day_ms); });
  REQUIRE(problem);
  CHECK(problem->code == error_code::invalid_argument);
}

TEST_CASE("candle loader: a source that answers too much: only what was asked counts") {
  minute_source source;
  source.spoil = [&](std::vector<candle>& batch) {
    const auto& query = source.asked.back();
    batch.insert(batch.begin(),
                 {query.since - minute_ms, 0, 0, 0, 0, -1}); // bad, but not asked for
    batch.push_back({query.until, 100, 101, 99, 100, 1});
  };
  auto loader = source.loader();
  const auto loaded = loader.load("BTC", interval::m1, new_year, new_year + 2 * day_ms);
  CHECK(loaded.series->candles.size() == 2880);
  CHECK(loaded.series->candles.front().open_time == new_year);
}

TEST_CASE("candle loader: on_candle_data after every fetch that passed the checks, not after a "
          "failed one") {
  minute_source source;
  list told;
  source.callbacks.on_candle_data = [&](const std::string& symbol, interval size, instant since,
                                        std::span<const candle> data) {
    CHECK(symbol == "BTC");
    CHECK(size == interval::m1);
    CHECK(data.size() == 1440);
    told.push_back((since - new_year) / day_ms);
  };
  source.spoil = [&](std::vector<candle>& batch) {
    if (source.asked.size() == 1)
      batch[0].low = 0;
  };
  auto loader = source.loader();
  loader.load("BTC", interval::m1, new_year, new_year + 2 * day_ms);
  CHECK(source.days() == list{0, 0, 1});
  CHECK(told == list{0, 1});
}

namespace {

/// A source that loads whole symbols.
class whole_source final : public candle_store_source {
public:
  bool everything = false;
  int loads = 0;

  std::vector<std::string> symbols() const override { return {"BTC"}; }
  bool loads_everything() const noexcept override { return everything; }
  candle_series load(const std::string& symbol, instant since, instant until,
                     const configuration&) override {
    ++loads;
    if (symbol != "BTC")
      throw failure(error_code::not_found, fmt::format("symbol {} not found", symbol));
    candle_series series{symbol, interval::m1, {}};
    for (instant when = since; when < until; when += minute_ms)
      series.candles.push_back({when, 100, 100, 100, 100, 1});
    return series;
  }
};

} // namespace

TEST_CASE("candle loader: a source of whole symbols is asked once, again only for more") {
  const auto source = std::make_shared<whole_source>();
  exchange_schema schema;
  schema.exchange_name = "files";
  schema.source = source;
  SUBCASE("by range") {
    candle_loader loader{schema, {}, {}};
    loader.load("BTC", interval::m1, new_year, new_year + day_ms);
    loader.load("BTC", interval::h1, new_year, new_year + day_ms);
    CHECK(source->loads == 1);
    const auto more = loader.load("BTC", interval::m1, new_year + day_ms, new_year + 2 * day_ms);
    CHECK(source->loads == 2);
    CHECK(more.series->candles.size() == 2880);
  }
  SUBCASE("everything") {
    source->everything = true;
    candle_loader loader{schema, {}, {}};
    loader.load("BTC", interval::m1, new_year, new_year + day_ms);
    loader.load("BTC", interval::m1, new_year - 9 * day_ms, new_year + 9 * day_ms);
    CHECK(source->loads == 1);
  }
  SUBCASE("what it throws is not retried") {
    candle_loader loader{schema, {}, {}};
    const auto problem =
        error_of([&] { loader.load("ETH", interval::m1, new_year, new_year + day_ms); });
    REQUIRE(problem);
    CHECK(problem->code == error_code::not_found);
    CHECK(source->loads == 1);
  }
}

namespace {

/// A market that goes on, as a user's own source may show it: with the candle that still forms.
struct growing_market {
  instant now = new_year;
  std::vector<candle_query> asked;

  candle_loader loader() {
    exchange_schema schema;
    schema.exchange_name = "paper";
    schema.now = [this] { return now; };
    schema.get_candles = [this](const candle_query& query) {
      asked.push_back(query);
      std::vector<candle> batch;
      for (instant when = query.since; when < query.until && when <= now; when += minute_ms) {
        const double close = when + minute_ms <= now ? 101 : 100.5; // not the last word
        batch.push_back({when, 100, 102, 99, close, 1});
      }
      return batch;
    };
    return {schema, {}, {}};
  }
};

} // namespace

TEST_CASE("candle loader: the candle that still forms is not taken for a closed one") {
  growing_market market;
  auto loader = market.loader();
  market.now = new_year + 60 * minute_ms + 30'000;
  const auto first = loader.load("BTC", interval::m1, new_year, new_year + 60 * minute_ms).series;
  CHECK(first->candles.size() == 60);
  market.now = new_year + 61 * minute_ms + 1500;
  const auto next = loader.load("BTC", interval::m1, new_year, new_year + 61 * minute_ms).series;
  REQUIRE(next->candles.size() == 61);
  CHECK(next->candles.back().close == 101);
}

TEST_CASE("candle loader: of a market that goes on no more is held than is asked for") {
  growing_market market;
  auto loader = market.loader();
  const auto day_of = [](std::int64_t number) { return new_year + number * day_ms; };
  for (std::int64_t day = 1; day <= 30; ++day) {
    market.now = day_of(day) + 60 * minute_ms;
    const auto loaded =
        loader.load("BTC", interval::m1, market.now - 90 * minute_ms, market.now);
    CHECK(loaded.from <= market.now - 90 * minute_ms);
    CHECK(loaded.series->candles.size() == 1440 + 60); // yesterday's and today's
  }
  // Who asks for more gets it, and has it from then on.
  const auto more = loader.load("BTC", interval::m1, day_of(28), market.now);
  CHECK(more.series->candles.size() == 2 * 1440 + 60);
  market.asked.clear();
  market.now += minute_ms;
  CHECK(loader.load("BTC", interval::m1, market.now - 2 * day_ms, market.now).series->candles.size() ==
        2 * 1440 + 61);
  CHECK(market.asked.size() == 1);
}

TEST_CASE("candle loader: after a leap of the clock what lies between is not fetched") {
  growing_market market;
  auto loader = market.loader();
  market.now = new_year + 60 * minute_ms;
  loader.load("BTC", interval::m1, new_year, market.now);
  market.asked.clear();
  market.now = new_year + 300 * day_ms + 60 * minute_ms;
  const auto loaded = loader.load("BTC", interval::m1, market.now - 60 * minute_ms, market.now);
  CHECK(loaded.series->candles.size() == 60);
  REQUIRE(market.asked.size() == 1);
  CHECK(market.asked.front().since == new_year + 300 * day_ms);
}

TEST_CASE("candle loader: an answer of larger candles than asked for is refused") {
  minute_source source;
  source.spoil = [](std::vector<candle>& batch) {
    std::erase_if(batch, [](const candle& item) { return item.open_time % (5 * minute_ms) != 0; });
  };
  auto loader = source.loader();
  const auto problem =
      error_of([&] { loader.load("BTC", interval::m1, new_year, new_year + day_ms); });
  REQUIRE(problem.has_value());
  CHECK(problem->code == error_code::bad_candles);
  CHECK_MESSAGE(problem->message.find("candle 1 of 288: the candle lies 5m behind the one before, "
                                      "the usual spacing of the answer; expected 1m candles") !=
                    std::string::npos,
                problem->message);
}

TEST_CASE("candle loader: a source that says its candles are others is not believed") {
  class other_candles final : public candle_store_source {
  public:
    candle_series answer;
    std::vector<std::string> symbols() const override { return {"BTC"}; }
    candle_series load(const std::string&, instant, instant, const configuration&) override {
      return answer;
    }
  };
  const auto source = std::make_shared<other_candles>();
  exchange_schema schema;
  schema.exchange_name = "own";
  schema.source = source;
  candle_loader loader{schema, {}, {}};
  const auto problem_of = [&](candle_series answer) {
    source->answer = std::move(answer);
    return error_of([&] { loader.load("BTC", interval::m1, new_year, new_year + hour_ms); });
  };
  CHECK(
      problem_of({"BTC", interval::m5, {flat_candle(0)}}) ==
      error{
          error_code::bad_candles,
          "exchange own: the source answered with 5m candles of BTC; expected 1m candles of BTC"});
  CHECK(
      problem_of({"ETH", interval::m1, {flat_candle(0)}}) ==
      error{
          error_code::bad_candles,
          "exchange own: the source answered with 1m candles of ETH; expected 1m candles of BTC"});
  CHECK_FALSE(problem_of({"", interval::m1, {flat_candle(0)}}));
}

TEST_CASE("candle loader: bad candles around what is needed are done without") {
  minute_source source;
  source.spoil = [&](std::vector<candle>& batch) {
    for (auto& item : batch)
      if (item.open_time == new_year + 600 * minute_ms ||
          item.open_time == new_year + 900 * minute_ms)
        item.close = -1;
  };
  auto loader = source.loader();
  const auto load = [&](std::int64_t from, std::int64_t until) {
    return loader.load("BTC", interval::m1, new_year + from * minute_ms,
                       new_year + until * minute_ms);
  };
  const auto loaded = load(700, 800);
  CHECK(loaded.from == new_year + 700 * minute_ms);
  CHECK(loaded.until == new_year + 800 * minute_ms);
  CHECK(loaded.series->candles.size() == 100);
  CHECK(source.delays.empty());
  CHECK(load(650, 850).series->candles.size() == 200);
  const auto problem = error_of([&] { load(650, 901); });
  REQUIRE(problem);
  CHECK(problem->code == error_code::bad_candles);
}

TEST_CASE("candle loader: a welcome day before the range is tried once, and done without") {
  minute_source source;
  source.spoil = [&](std::vector<candle>&) {
    if (source.asked.back().since < new_year)
      throw std::runtime_error("no such day");
  };
  auto loader = source.loader();
  const candle_extent extent{new_year - day_ms, new_year + 120 * minute_ms, true};
  const auto loaded = loader.load("BTC", interval::m1, new_year + 60 * minute_ms,
                                  new_year + 120 * minute_ms, extent);
  CHECK(loaded.from == new_year);
  CHECK(loaded.until == new_year + 120 * minute_ms); // and not to the day's end
  CHECK(source.days() == list{-1, 0});
  CHECK(source.delays.empty());
}
