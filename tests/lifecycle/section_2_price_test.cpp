#include "tests/support/scenario.hpp"

#include "actors/exchange/average_price.hpp"
#include "actors/exchange/candle_checks.hpp"
#include "actors/exchange/candle_loader.hpp"

#include <algorithm>

#include <doctest/doctest.h>

#include <limits>

using namespace backtest;
using namespace backtest::testing;

namespace {

/// What the strategy is told the average price is, at every minute of the frame.
std::vector<double> average_prices(scenario& market) {
  std::vector<double> told;
  market.strategy([&told](const run_context& context) -> std::optional<signal_request> {
    told.push_back(context.average_price());
    return std::nullopt;
  });
  market.run();
  return told;
}

} // namespace

TEST_CASE("lifecycle 2: the average price is the VWAP of the last 5 closed candles") {
  scenario market;
  market.parameters.avg_price_candles_count = 5;
  market.candles() = {{at_minute(-6), 900, 900, 900, 900, 9}, // the sixth: outside
                      {at_minute(-5), 10, 12, 9, 9, 1},       // typical 10
                      {at_minute(-4), 20, 24, 18, 18, 3},     // typical 20
                      {at_minute(-3), 10, 12, 9, 9, 0},
                      {at_minute(-2), 10, 12, 9, 9, 0},
                      {at_minute(-1), 10, 12, 9, 9, 1},
                      {at_minute(0), 900, 900, 900, 900, 9}}; // forming: invisible
  market.frame_minutes(0, 0);
  CHECK(average_prices(market) == std::vector<double>{16}); // (10 + 60 + 10) / 5
}

TEST_CASE("lifecycle 2: without volume the average price is the plain mean of the closes") {
  scenario market;
  market.parameters.avg_price_candles_count = 3;
  market.candles() = {closing_at(-2, 10, 0), closing_at(-1, 20, 0), closing_at(0, 60, 0)};
  market.frame_minutes(0, 0);
  CHECK(average_prices(market) == std::vector<double>{30});
}

TEST_CASE("lifecycle 2: sums are taken afresh for every window, no rolling sums") {
  scenario market;
  market.parameters.avg_price_candles_count = 5;
  // A rolling sum would never lose the rounding of the huge candle that left the window.
  market.candles() = {closing_at(-5, 1e15, 1e9), closing_at(-4, 0.1, 0.7), closing_at(-3, 0.2, 0.7),
                      closing_at(-2, 0.3, 0.7),  closing_at(-1, 0.4, 0.7), closing_at(0, 0.5, 0.7)};
  market.frame_minutes(0, 0);
  const double value =
      (((0.1 + 0.1 + 0.1) / 3 * 0.7 + (0.2 + 0.2 + 0.2) / 3 * 0.7) + (0.3 + 0.3 + 0.3) / 3 * 0.7) +
      (0.4 + 0.4 + 0.4) / 3 * 0.7 + (0.5 + 0.5 + 0.5) / 3 * 0.7;
  CHECK(average_prices(market) == std::vector<double>{value / (0.7 + 0.7 + 0.7 + 0.7 + 0.7)});
}

TEST_CASE("lifecycle 2: VWAP uses those of the window that exist, a gap is never invented") {
  scenario market;
  market.parameters.avg_price_candles_count = 3;
  market.prices({10, {}, 30, {}, {}, 60});
  market.frame_minutes(0, 5);
  CHECK(average_prices(market) == std::vector<double>{10, 10, 20, 30, 30, 60});
}

TEST_CASE("lifecycle 2: idle without a price: data_gap at that instant, slot not used, goes on") {
  scenario market;
  market.prices({100, {}, {}, 100, 100});
  market.frame_minutes(0, 4);
  auto& strategy = market.strategy(signals({{3, go_long(110, 90)}}));
  strategy.size = interval::m3;
  SUBCASE("every slot of its own") {
    strategy.size = interval::m1;
    CHECK(market.facts() == texts{"1 data_gap", "2 data_gap", "3 opened @100"});
  }
  SUBCASE("with a used slot no price is needed and nothing is said") {
    CHECK(market.facts() == texts{"3 opened @100"});
  }
  SUBCASE("the slot stays free until a price is there") {
    strategy.get_signal = signals({{1, go_long(110, 90)}, {2, go_long(110, 90)}});
    market.prices({{}, {}, 100, 100, 100});
    market.candles().insert(market.candles().begin(), closing_at(-9, 100));
    CHECK(market.facts() == texts{"0 data_gap", "1 data_gap", "2 opened @100"});
  }
}

TEST_CASE("lifecycle 2: the error of an instant without a price names symbol and instant") {
  scenario market;
  market.prices({{}, 100});
  market.frame_minutes(0, 1);
  market.strategy(signals({}));
  const auto problem = market.first_error();
  CHECK(problem.code == error_code::data_gap);
  CHECK(problem.timestamp == at_minute(0));
  CHECK(problem.run->symbol == "BTC");
  CHECK(problem.message.find("BTC") != std::string::npos);
  CHECK(problem.message.find("no candles data") != std::string::npos);
}

TEST_CASE(
    "lifecycle 2: not listed yet: of the instants up to the first candle's open one is told") {
  scenario market;
  std::vector<std::optional<double>> prices(1001, std::nullopt);
  prices.insert(prices.end(), {100, 100, {}, {}, 100}); // the first candle opens at minute 1000
  market.prices(prices);
  market.frame_minutes(0, 1005);
  auto& strategy = market.strategy(signals({{1002, go_long(110, 90, 1)}}));
  SUBCASE("gaps later on are told one by one") {
    strategy.get_signal = signals({});
    CHECK(market.facts() == texts{"0 data_gap", "1003 data_gap", "1004 data_gap"});
    const auto run = market.run().runs.at(0);
    CHECK(run.gaps == 2); // those before the first candle are counted apart
    CHECK(run.absent == absent_candles{1001, at_minute(1000)});
  }
  SUBCASE("the message says when the candles begin") {
    const auto problem = market.first_error();
    CHECK(problem.timestamp == at_minute(0));
    CHECK(problem.message.find("no candles data of BTC in the 1 minutes before "
                               "2024-01-01T00:00:00Z; they begin at 2024-01-01T16:40:00Z") == 0);
  }
  SUBCASE("the first that would be told: with a used slot there is none") {
    strategy.size = interval::h1;
    market.frame_minutes(90, 1005);
    CHECK(market.facts() == texts{"90 data_gap"});
  }
  SUBCASE("instants of the frame are counted, whatever its step") {
    market.frame_minutes(0, 1005, interval::m30);
    CHECK(market.facts() == texts{"0 data_gap"});
    CHECK(market.run().runs.at(0).absent == absent_candles{34, at_minute(1000)});
  }
  SUBCASE("however far it goes at a time, and whoever listens") {
    market.options.range = minute_ms;
    market.options.wanted = interest::everything();
    CHECK(market.facts().front() == "0 data_gap");
    const auto events = market.run().events;
    CHECK(std::count_if(events.begin(), events.end(), [](const event& item) {
            return item.on == topic::error;
          }) == 3); // with minutes 1003 and 1004
  }
}

TEST_CASE("lifecycle 2: not listed yet: no candle in the whole frame is one event") {
  scenario market;
  market.frame_minutes(0, 500);
  market.strategy(signals({}));
  SUBCASE("they begin behind it") {
    market.candles() = {closing_at(601, 100), closing_at(602, 100)};
    CHECK(market.facts() == texts{"0 data_gap"});
    CHECK(market.first_error().message.find(
              "they begin at 2024-01-01T10:00:00Z, behind the frame") != std::string::npos);
    CHECK(market.run().runs.at(0).absent == absent_candles{501, at_minute(600)});
    CHECK(market.run().runs.at(0).gaps == 0);
  }
  SUBCASE("there are none") {
    market.candles() = {};
    CHECK(market.facts() == texts{"0 data_ended"});
    CHECK(market.run().runs.at(0).absent == absent_candles{501, std::nullopt});
  }
  SUBCASE("they ended before it: that is no listing") {
    market.candles() = {closing_at(-9, 100)};
    CHECK(market.facts() == texts{"0 data_ended"});
    CHECK(market.run().runs.at(0).absent == absent_candles{});
  }
}

TEST_CASE("lifecycle 2: not listed yet: candles before the frame make a gap at its start a gap") {
  scenario market;
  market.candles() = {closing_at(-9, 100), closing_at(3, 100)};
  market.frame_minutes(0, 3);
  market.strategy(signals({}));
  CHECK(market.facts() == texts{"0 data_gap", "1 data_gap", "2 data_gap"});
  CHECK(market.run().runs.at(0).absent == absent_candles{});
}

TEST_CASE("lifecycle 2: while a signal lives an instant without a price is silent") {
  scenario market;
  market.strategy(signals({{0, go_long(110, 90, 5)}}));
  SUBCASE("pending") {
    market.prices({100, {}, {}, 111});
    CHECK(market.facts(interest::everything()) ==
          texts{"0 opened @100", "3 closed take_profit @110", "3 idle @111", "3 data_ended"});
  }
  SUBCASE("scheduled") {
    market.schemas.strategies[0].get_signal = signals({{0, entering_at(95, go_long(110, 90))}});
    market.prices({100, {}, {}, 95, 95});
    market.frame_minutes(0, 0);
    CHECK(market.facts(interest::everything()) ==
          texts{"0 scheduled @95", "3 opened @95", "4 active 0/0"});
  }
}

TEST_CASE("lifecycle 2: timeout and expiry apply without a price too") {
  scenario market;
  market.frame_minutes(0, 0);
  SUBCASE("time_expired closes at the last price that run computed") {
    market.strategy(signals({{0, go_long(110, 90, 3)}}));
    market.prices({100, 104, {}, {}, {}, 108});
    CHECK(market.facts() == texts{"0 opened @100", "3 closed time_expired @104"});
  }
  SUBCASE("and at the opening's own price when there was none since") {
    market.strategy(signals({{0, entering_at(101, go_long(110, 90, 3))}}));
    market.prices({100, {}, {}, {}, {}, 108});
    CHECK(market.facts() == texts{"0 opened @101", "3 closed time_expired @100"});
  }
  SUBCASE("a schedule times out") {
    market.parameters.schedule_await_minutes = 2;
    market.strategy(signals({{0, entering_at(95, go_long(110, 90))}}));
    market.prices({100, {}, {}, {}, 95});
    CHECK(market.facts() == texts{"0 scheduled @95", "2 cancelled timeout"});
    // The last price that was computed, not 0 and not one of an earlier signal.
    CHECK(market.ticks(tick_action::cancelled).at(0).current_price == 100);
  }
}

TEST_CASE("lifecycle 2: milestones are skipped without a price") {
  scenario market;
  market.strategy(signals({{0, go_long(110, 90, 5)}}));
  market.prices({100, {}, 103, 100, 100, 100});
  market.frame_minutes(0, 0);
  CHECK(market.facts(transitions() | interest::of(topic::partial_profit)) ==
        texts{"0 opened @100", "2 profit 10", "2 profit 20", "2 profit 30",
              "5 closed time_expired @100"});
}

TEST_CASE("lifecycle 2: each run ends at the close of its own symbol's last candle") {
  scenario market;
  market.prices({100, 100, 100}, "BTC");
  market.prices({100, 100, 100, 100, 100}, "ETH");
  market.frame_minutes(0, 9);
  market.strategy(signals({{2, go_long(110, 90)}, {4, go_long(110, 90)}}));
  SUBCASE("one data_ended there if the frame goes on") {
    CHECK(market.facts() ==
          texts{"BTC 2 opened @100", "BTC 2 data_ended", "ETH 2 opened @100", "ETH 4 data_ended"});
  }
  SUBCASE("none if it does not") {
    market.frame_minutes(0, 2);
    CHECK(market.facts() == texts{"BTC 2 opened @100", "ETH 2 opened @100"});
  }
}

TEST_CASE("lifecycle 2: candles are checked on arrival, the first bad one is named") {
  const configuration limits;
  const auto fault = [&](auto change) {
    std::vector<candle> batch;
    for (int minute = 0; minute < 6; ++minute)
      batch.push_back({at_minute(minute), 100, 101, 99, 100, 1});
    change(batch[3]);
    const auto found = check_candles(batch, interval::m1, limits);
    return found ? found->index : 99;
  };
  constexpr double infinity = std::numeric_limits<double>::infinity();
  CHECK(fault([](candle&) {}) == 99);
  CHECK(fault([](candle& c) { c.high = infinity; }) == 3);
  CHECK(fault([](candle& c) { c.open = -infinity; }) == 3);
  CHECK(fault([](candle& c) { c.close = std::numeric_limits<double>::quiet_NaN(); }) == 3);
  CHECK(fault([](candle& c) { c.volume = infinity; }) == 3);
  CHECK(fault([](candle& c) { c.low = 0; }) == 3);
  CHECK(fault([](candle& c) { c.volume = -1; }) == 3);
  CHECK(fault([](candle& c) { c.volume = 0; }) == 99);
  CHECK(fault([](candle& c) { c.open = 102; }) == 3);
  CHECK(fault([](candle& c) { c.close = 98; }) == 3);
  CHECK(fault([](candle& c) { c.open_time += 1; }) == 3);
  CHECK(fault([](candle& c) { c.open_time -= minute_ms; }) == 3); // the same as the one before
}

TEST_CASE("lifecycle 2: no price below the median / 1000, the mean in batches of fewer than 5") {
  const configuration limits;
  const auto is_refused = [&](std::size_t count, double low) {
    std::vector<candle> batch;
    for (std::size_t i = 0; i < count; ++i)
      batch.push_back({at_minute(static_cast<std::int64_t>(i)), 1000, 1000, 1000, 1000, 1});
    batch.back().low = low;
    return check_candles(batch, interval::m1, limits).has_value();
  };
  CHECK_FALSE(is_refused(5, 1)); // 1000 / 1000
  CHECK(is_refused(5, 0.999));
  CHECK_FALSE(is_refused(2, 0.999)); // mean of 7 x 1000 and one: about 875
  CHECK(is_refused(2, 0.8));
}

TEST_CASE("lifecycle 2: a fetch is tried 3 times, 5 s and then the double apart, then it fails") {
  std::vector<std::int64_t> delays;
  exchange_schema exchange;
  exchange.exchange_name = "paper";
  exchange.get_candles = [](const candle_query&) -> std::vector<candle> {
    throw std::runtime_error("down for maintenance");
  };
  candle_loader loader{exchange, {}, [&](std::chrono::milliseconds delay) {
                         delays.push_back(delay.count());
                         return true;
                       }};
  try {
    loader.load("BTC", interval::m1, at_minute(0), at_minute(10));
    FAIL("expected a failure");
  } catch (const failure& caught) {
    CHECK(caught.code() == error_code::fetch_failed);
    CHECK(std::string{caught.what()}.find("down for maintenance") != std::string::npos);
  }
  CHECK(delays == std::vector<std::int64_t>{5000, 10'000});
}

TEST_CASE("lifecycle 2: a batch that fails the checks is refused whole") {
  exchange_schema exchange;
  exchange.exchange_name = "paper";
  exchange.get_candles = [](const candle_query& query) {
    std::vector<candle> batch{closing_at(1, 100), closing_at(2, 100), closing_at(3, 100)};
    batch[1].low = -1;
    return query.since == at_minute(0) ? batch : std::vector<candle>{};
  };
  candle_loader loader{exchange, {}, {}};
  try {
    loader.load("BTC", interval::m1, at_minute(0), at_minute(10));
    FAIL("expected a failure");
  } catch (const failure& caught) {
    CHECK(caught.code() == error_code::bad_candles);
    CHECK(std::string{caught.what()}.find("candle 1 of 3: low is -1") != std::string::npos);
  }
}

TEST_CASE("lifecycle 2: a batch that is merely short is not an error") {
  exchange_schema exchange;
  exchange.exchange_name = "paper";
  exchange.get_candles = [](const candle_query&) {
    return std::vector<candle>{closing_at(7, 100)};
  };
  candle_loader loader{exchange, {}, {}};
  CHECK(loader.load("BTC", interval::m1, at_minute(0), at_minute(1440)).series->candles ==
        std::vector<candle>{closing_at(7, 100)});
}
