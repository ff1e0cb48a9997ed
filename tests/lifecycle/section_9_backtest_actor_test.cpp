// What lifecycle 9 says about candles that have to be fetched, by the drivers themselves.
#include "runtime/parity.hpp"
#include "tests/support/runtime_fixture.hpp"

#include <mutex>

using namespace backtest;
using namespace backtest::testing;

namespace {

constexpr instant at(std::int64_t minute) { return first_instant + minute * minute_ms; }

/// A flat market that says what it was asked for, and has only what opens before `ends`.
struct limited_market {
  instant ends = end_of_time;   ///< nobody can say what is there
  instant closed = end_of_time; ///< there is nothing
  error_code reason = error_code::fetch_failed;

  exchange_schema exchange(const std::string& name = "exchange") {
    exchange_schema schema;
    schema.exchange_name = name;
    schema.get_candles = [this](const candle_query& query) {
      const std::lock_guard lock{mutex_};
      asked_until_ = std::max(asked_until_, query.until);
      if (query.until > ends)
        throw failure(reason, "nobody is there");
      auto candles = wave(query.since, query.until);
      for (auto& item : candles)
        item = {item.open_time, 100, 100, 100, 100, 1};
      std::erase_if(candles, [this](const candle& item) { return item.open_time >= closed; });
      return candles;
    };
    return schema;
  }
  instant asked_until() {
    const std::lock_guard lock{mutex_};
    return asked_until_;
  }

private:
  std::mutex mutex_;
  instant asked_until_ = 0;
};

/// Buys at that minute alone, for so many minutes.
signal_function buying_at(std::int64_t minute, std::int64_t lifetime) {
  return [=](const run_context& context) -> std::optional<signal_request> {
    if (context.when() != at(minute))
      return std::nullopt;
    signal_request request;
    request.price_take_profit = 110;
    request.price_stop_loss = 90;
    request.minute_estimated_time = lifetime;
    return request;
  };
}

strategy_schema every_minute(const std::string& name, signal_function source) {
  auto schema = strategy_of(name, std::move(source));
  schema.size = interval::m1;
  return schema;
}

/// A frame of 1440 instants, to 23:59.
void add_run(runtime& target, limited_market& market, signal_function source,
             instant length = day_ms - minute_ms) {
  target.add_exchange(market.exchange());
  target.add_frame(frame_of(length));
  target.add_strategy(every_minute("buyer", std::move(source)));
}

void check_parity(runtime& target) {
  const auto result = compare_drivers(target, request_of());
  CHECK_MESSAGE(!result.difference, result.difference.value_or(""));
}

} // namespace

TEST_CASE("lifecycle 9: no candle behind the frame is asked for when every signal has ended") {
  const watchdog guard;
  limited_market market;
  runtime target{quiet()};
  SUBCASE("the frame ends at 23:59") { add_run(target, market, buying_at(1400, 25)); }
  SUBCASE("in the middle of a day") {
    add_run(target, market, buying_at(500, 25), 600 * minute_ms);
  }
  SUBCASE("without a signal") { add_run(target, market, never, 600 * minute_ms); }
  const auto last = target.list_frames().front().end;
  market.ends = last;
  const auto summary = run_to_end(target);
  CHECK_MESSAGE(summary.outcome == run_outcome::completed,
                summary.problem.value_or(error{}).message);
  CHECK(summary.errors == 0);
  CHECK(summary.counters.unfinished == 0);
  CHECK(market.asked_until() == last);
  check_parity(target);
}

TEST_CASE("lifecycle 9: a signal alive at the frame's end is followed through candles that are "
          "asked for then") {
  const watchdog guard;
  limited_market market;
  runtime target{quiet()};
  SUBCASE("pending, over two days") { add_run(target, market, buying_at(1430, 1440)); }
  SUBCASE("pending, for minutes") { add_run(target, market, buying_at(1430, 30)); }
  SUBCASE("scheduled, to its timeout") {
    add_run(target, market, [](const run_context& context) -> std::optional<signal_request> {
      if (context.when() != at(1430))
        return std::nullopt;
      signal_request request;
      request.price_open = 99;
      request.price_take_profit = 110;
      request.price_stop_loss = 90;
      return request;
    });
  }
  const auto summary = run_to_end(target);
  CHECK(summary.outcome == run_outcome::completed);
  CHECK(summary.counters.closed + summary.counters.cancelled == 1);
  CHECK(summary.counters.unfinished == 0);
  CHECK(summary.errors == 0);
  check_parity(target);
}

TEST_CASE("lifecycle 9: candles behind the frame that cannot be had end the run as the data's end "
          "does, with the error told") {
  const watchdog guard;
  limited_market market;
  market.ends = at(1439);
  SUBCASE("no network") { market.reason = error_code::fetch_failed; }
  SUBCASE("bad candles") { market.reason = error_code::bad_candles; }
  runtime target{quiet()};
  add_run(target, market, buying_at(1430, 30));
  target.add_strategy(every_minute("other", buying_at(1000, 10)));
  heard_events errors{target, {topic::error}};
  auto run = target.backtest().background(request_of({"BTC"}, {"buyer", "other"}));
  run.wait();
  const auto summaries = run.summaries();
  for (const auto& summary : summaries)
    CHECK(summary.outcome == run_outcome::completed);
  CHECK(summaries[0].counters.unfinished == 1);
  CHECK(summaries[0].errors == 1);
  CHECK(summaries[1].counters.closed == 1);
  CHECK(summaries[1].errors == 0);
  const auto told = errors.of<error_event>();
  REQUIRE(told.size() == 1);
  CHECK(told[0].code == market.reason);
  CHECK(told[0].timestamp == at(1439));
  CHECK(told[0].run->strategy_name == "buyer");
  CHECK(told[0].message.find("candles of BTC behind 2024-01-01T23:59:00Z cannot be had") == 0);
  CHECK(told[0].message.find("nobody is there") != std::string::npos);
  check_parity(target);
}

TEST_CASE("lifecycle 9: a signal is followed as far as the candles behind the frame reach") {
  const watchdog guard;
  limited_market market;
  runtime target{quiet()};
  add_run(target, market, buying_at(1430, 700));
  SUBCASE("they end: unfinished, and nothing is wrong") {
    market.closed = at(1440 + 60);
    CHECK(run_to_end(target).errors == 0);
  }
  SUBCASE("they cannot be had from some day on") {
    market.ends = at(1440);
    CHECK(run_to_end(target).errors == 1);
  }
  CHECK(run_to_end(target).counters.unfinished == 1);
  check_parity(target);
}

TEST_CASE("lifecycle 9: whether a gap at the frame's end is the data's end is asked for") {
  const watchdog guard;
  limited_market market;
  market.closed = at(1400);
  runtime target{quiet()};
  add_run(target, market, never);
  heard_events errors{target, {topic::error}};
  SUBCASE("it is") {
    CHECK(run_to_end(target).outcome == run_outcome::completed);
    CHECK(errors.count(error_code::data_ended) == 1);
    CHECK(errors.count(error_code::fetch_failed) == 0);
  }
  SUBCASE("nobody knows: it ends there, with the error told") {
    market.ends = at(1439);
    CHECK(run_to_end(target).outcome == run_outcome::completed);
    CHECK(errors.count(error_code::data_ended) == 1);
    CHECK(errors.count(error_code::fetch_failed) == 1);
  }
  check_parity(target);
}

TEST_CASE("lifecycle 9: a day before the frame that nobody looks back at may be missing") {
  const watchdog guard;
  runtime target{quiet()};
  auto exchange = wave_exchange();
  exchange.get_candles = [](const candle_query& query) {
    // The five minutes that the first price is made of are there.
    if (query.since < at(-5))
      throw failure(error_code::bad_candles, "a redenomination");
    return wave(query.since, query.until);
  };
  target.add_exchange(std::move(exchange));
  target.add_frame(frame_of(60 * minute_ms));
  SUBCASE("nobody does") {
    target.add_strategy(strategy_of("buyer", never));
    CHECK(run_to_end(target).outcome == run_outcome::completed);
    check_parity(target);
  }
  SUBCASE("somebody does") {
    target.add_strategy(
        strategy_of("buyer", [](const run_context& context) -> std::optional<signal_request> {
          context.candles(interval::m1, 60);
          return std::nullopt;
        }));
    const auto summary = run_to_end(target);
    CHECK(summary.outcome == run_outcome::failed);
    CHECK(summary.problem.value_or(error{}).code == error_code::bad_candles);
  }
}

TEST_CASE("lifecycle 9: another symbol is asked for no further than its candles are needed") {
  const watchdog guard;
  limited_market market;
  runtime target{quiet()};
  target.add_exchange(market.exchange());
  target.override_exchange("exchange", [](exchange_schema& schema) {
    schema.get_candles = [inner = schema.get_candles](const candle_query& query) {
      // Bad candles in the evening of the day on which the frame ends at noon.
      if (query.symbol == "ETH" && query.until > at(1000))
        throw failure(error_code::bad_candles, "a redenomination");
      return inner(query);
    };
  });
  target.add_frame(frame_of(720 * minute_ms));
  target.add_strategy(
      strategy_of("buyer", [](const run_context& context) -> std::optional<signal_request> {
        context.candles("ETH", interval::h1, 2);
        return std::nullopt;
      }));
  const auto summary = run_to_end(target);
  CHECK_MESSAGE(summary.outcome == run_outcome::completed,
                summary.problem.value_or(error{}).message);
  CHECK(summary.errors == 0);
}
