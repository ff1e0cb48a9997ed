#include "actors/exchange/series_market.hpp"

#include "actors/exchange/aggregate.hpp"
#include "tests/actors/exchange/candle_fixtures.hpp"

#include <doctest/doctest.h>

using namespace backtest;
using namespace backtest::test;

namespace {

/// Loads one-minute candles that are all there but the missing ones, and counts its calls.
struct loads {
  std::vector<std::string> calls;
  std::vector<std::int64_t> missing;

  series_loader loader() {
    return [this](const std::string& symbol, interval size, instant from, instant until) {
      calls.push_back(fmt::format("{} {} {}..{}", symbol, to_string(size),
                                  (from - new_year) / minute_ms, (until - new_year) / minute_ms));
      candle_series minutes{symbol, interval::m1, {}};
      for (instant when = from; when < until; when += minute_ms) {
        const auto minute = (when - new_year) / minute_ms;
        if (std::find(missing.begin(), missing.end(), minute) == missing.end())
          minutes.candles.push_back(flat_candle(minute, 1000 + static_cast<double>(minute)));
      }
      return loaded_series{std::make_shared<const candle_series>(aggregate(minutes, size)), from,
                           until};
    };
  }

  series_market market(std::int64_t price_candles = 5) {
    return {"BTC", price_candles, {}, loader()};
  }
};

constexpr instant minute(std::int64_t number) { return new_year + number * minute_ms; }

std::vector<std::int64_t> opens(std::span<const candle> candles) {
  std::vector<std::int64_t> found;
  for (const auto& item : candles)
    found.push_back((item.open_time - new_year) / minute_ms);
  return found;
}

using list = std::vector<std::int64_t>;

} // namespace

TEST_CASE("series market: limit 0, a negative one, and intervals above 1d are refused") {
  loads source;
  auto market = source.market();
  for (const std::int64_t limit : {0, -3}) {
    const auto problem = error_of([&] { market.candles("BTC", interval::m1, limit, minute(10)); });
    REQUIRE(problem);
    CHECK(problem->code == error_code::invalid_argument);
    CHECK(problem->message ==
          fmt::format("candles of BTC 1m: limit must be a positive integer, got {}", limit));
    CHECK(error_of([&] { market.candles_present("BTC", interval::m1, limit, minute(10)); }));
  }
  const auto problem = error_of([&] { market.candles("BTC", interval::d3, 1, minute(10)); });
  REQUIRE(problem);
  CHECK(problem->code == error_code::invalid_argument);
  CHECK(source.calls.empty());
}

TEST_CASE("series market: exactly limit candles, oldest first, the newest closed") {
  loads source;
  auto market = source.market();
  CHECK(opens(market.candles("BTC", interval::m1, 3, minute(10))) == list{7, 8, 9});
  CHECK(opens(market.candles("BTC", interval::m5, 2, minute(10))) == list{0, 5});
  CHECK(opens(market.candles("BTC", interval::m5, 2, minute(14))) == list{0, 5});
  CHECK(opens(market.candles("BTC", interval::m5, 2, minute(15))) == list{5, 10});
}

TEST_CASE("series market: closed candles only, at instants that are not aligned too") {
  loads source;
  auto market = source.market();
  market.candles("BTC", interval::h4, 1, minute(2000)); // the future is held already
  for (std::int64_t when = 240; when < 1000; when += 7) {
    CAPTURE(when);
    CHECK(opens(market.candles("BTC", interval::h4, 1, minute(when))) ==
          list{when / 240 * 240 - 240});
    CHECK(opens(market.candles("BTC", interval::m1, 1, minute(when))) == list{when - 1});
  }
  CHECK(opens(market.candles("BTC", interval::h4, 1, minute(479) + 59'999)) == list{0});
  CHECK(opens(market.candles("BTC", interval::h4, 1, minute(480))) == list{240});
}

TEST_CASE("series market: missing candles fail with data_gap, candles_present gives the others") {
  loads source;
  source.missing = {5, 6, 9};
  auto market = source.market();
  const auto problem = error_of([&] { market.candles("BTC", interval::m1, 6, minute(10)); });
  REQUIRE(problem);
  CHECK(problem->code == error_code::data_gap);
  CHECK(problem->message == "3 of 6 1m candles of BTC before 2024-01-01T00:10:00Z are missing");
  CHECK(opens(market.candles_present("BTC", interval::m1, 6, minute(10))) == list{4, 7, 8});
  CHECK(opens(market.candles_present("BTC", interval::m1, 1, minute(10))) == list{});
  CHECK(opens(market.candles("BTC", interval::m1, 2, minute(9))) == list{7, 8});
  CHECK(opens(market.candles("BTC", interval::m5, 2, minute(10))) == list{0, 5}); // not all minutes
}

TEST_CASE("series market: an aggregate is a gap only if all its minutes are missing") {
  loads source;
  source.missing = {5, 6, 7, 8, 9};
  auto market = source.market();
  CHECK(error_of([&] { market.candles("BTC", interval::m5, 2, minute(10)); }));
  CHECK(opens(market.candles_present("BTC", interval::m5, 2, minute(10))) == list{0});
}

TEST_CASE("series market: the loader is called once for what is held") {
  loads source;
  auto market = source.market();
  market.candles("BTC", interval::m1, 60, minute(100));
  market.candles("BTC", interval::m1, 60, minute(100));
  market.candles("BTC", interval::m1, 3, minute(60));
  market.average_price("BTC", minute(90));
  CHECK(source.calls == std::vector<std::string>{"BTC 1m 40..100"});
  market.candles("BTC", interval::m1, 3, minute(120)); // more: both stretches in one
  CHECK(source.calls.back() == "BTC 1m 40..120");
  market.candles("BTC", interval::m1, 60, minute(100));
  CHECK(source.calls.size() == 2);
}

TEST_CASE("series market: what nobody can ask for any more is let go of, a day later") {
  loads source;
  auto market = source.market();
  market.candles("BTC", interval::m1, 60, minute(100));
  market.candles("BTC", interval::m1, 3, minute(1499));
  CHECK(source.calls.back() == "BTC 1m 40..1499");
  market.candles("BTC", interval::m1, 3, minute(3000));
  CHECK(source.calls.back() == "BTC 1m 1500..3000");
  market.candles("BTC", interval::m1, 1600, minute(3000)); // more than ever before
  CHECK(source.calls.back() == "BTC 1m 1400..3000");
  market.candles("BTC", interval::m1, 3, minute(4500));
  CHECK(source.calls.back() == "BTC 1m 1460..4500");
}

TEST_CASE("series market: other symbols and intervals are held beside the own ones") {
  loads source;
  auto market = source.market();
  CHECK(opens(market.candles("ETH", interval::m1, 2, minute(10))) == list{8, 9});
  CHECK(opens(market.candles("ETH", interval::h1, 1, minute(125))) == list{60});
  CHECK(market.average_price("ETH", minute(10)) == 1007);
  market.candles("ETH", interval::m1, 2, minute(10));
  CHECK(source.calls == std::vector<std::string>{"ETH 1m 8..10", "ETH 1h 60..120", "ETH 1m 5..10"});
  CHECK(market.minutes().empty());
}

TEST_CASE("series market: what was provided is not loaded, the minutes are the client's own") {
  loads source;
  auto market = source.market();
  CHECK(market.minutes().empty());
  const auto series = std::make_shared<const candle_series>(flat_series({0, 1, 2, 3}));
  market.provide(
      {std::make_shared<const candle_series>(candle_series{"BTC", interval::m1, series->candles}),
       minute(0), minute(4)});
  CHECK(market.minutes().candles.size() == 4);
  CHECK(opens(market.candles("BTC", interval::m1, 4, minute(4))) == list{0, 1, 2, 3});
  CHECK(source.calls.empty());
}

TEST_CASE("series market: what was given stays as it was while more is loaded, until the next instant") {
  loads source;
  auto market = source.market();
  const auto few = market.candles("BTC", interval::m1, 3, minute(100));
  const auto many = market.candles("BTC", interval::m1, 90, minute(100)); // loads more
  const auto others = market.candles("ETH", interval::m5, 2, minute(100));
  CHECK(opens(few) == list{97, 98, 99});
  CHECK(many.size() == 90);
  CHECK(opens(many.last(1)) == list{99});
  CHECK(opens(others) == list{90, 95});
  market.candles("BTC", interval::m1, 1, minute(101));
  CHECK(opens(market.candles("BTC", interval::m1, 2, minute(101))) == list{99, 100});
}

TEST_CASE("series market: without a loader what is not held is a gap") {
  series_market market{"BTC", 5, {}, {}};
  const auto problem = error_of([&] { market.candles("BTC", interval::m1, 1, minute(4)); });
  REQUIRE(problem);
  CHECK(problem->code == error_code::data_gap);
  CHECK(problem->message == "no candles of BTC 1m are loaded");
}

TEST_CASE("series market: what the loader throws reaches the strategy, and is tried again later") {
  int calls = 0;
  series_market market{
      "BTC", 5, {}, [&](const std::string&, interval, instant, instant) -> loaded_series {
        ++calls;
        throw failure(error_code::fetch_failed, "down");
      }};
  CHECK(error_of([&] { market.candles("BTC", interval::m1, 1, minute(4)); })->message == "down");
  CHECK(error_of([&] { market.candles_present("BTC", interval::m1, 1, minute(4)); }));
  CHECK(calls == 2);
}

TEST_CASE("series market: the average price of the last minutes, data_gap when there is none") {
  loads source;
  source.missing = {6, 20, 21, 22, 23, 24};
  auto market = source.market();
  CHECK(market.average_price("BTC", minute(5)) == 1002);
  CHECK(market.average_price("BTC", minute(10)) == (1005 + 1007 + 1008 + 1009) / 4.0);
  const auto problem = error_of([&] { market.average_price("BTC", minute(25)); });
  REQUIRE(problem);
  CHECK(problem->code == error_code::data_gap);
  CHECK(problem->message == "no candles data of BTC in the 5 minutes before 2024-01-01T00:25:00Z");
}

TEST_CASE("series market: numbers are printed by the exchange, or with 2 and 8 decimals") {
  series_market plain{"BTC", 5, {}, {}};
  CHECK(plain.format_price("BTC", 1.005001) == "1.01");
  CHECK(plain.format_quantity("BTC", 0.5) == "0.50000000");
  number_formats own;
  own.price = [](std::string_view symbol, double price) {
    return fmt::format("{} {}", symbol, price);
  };
  series_market market{"BTC", 5, own, {}};
  CHECK(market.format_price("ETH", 2.5) == "ETH 2.5");
  CHECK(market.format_quantity("ETH", 2.5) == "2.50000000");
}

TEST_CASE("series market: limits beyond any history are answered, not overflowed") {
  series_market market{"BTC", INT64_MAX, {}, {}};
  market.provide({std::make_shared<const candle_series>(
                      candle_series{"BTC", interval::m1, flat_series({0, 1, 2}).candles}),
                  INT64_MIN, INT64_MAX});
  CHECK(market.candles_present("BTC", interval::m1, INT64_MAX, minute(9)).size() == 3);
  CHECK(error_of([&] { market.candles("BTC", interval::m1, INT64_MAX, minute(9)); })->code ==
        error_code::data_gap);
  CHECK(market.average_price("BTC", minute(9)) == 100);
}
