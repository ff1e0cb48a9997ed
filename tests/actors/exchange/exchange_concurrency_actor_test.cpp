#include "tests/support/live_fixture.hpp"

#include <set>

using namespace backtest;
using namespace backtest::testing;

namespace {

const std::vector<std::string> eight_symbols{"A", "B", "C", "D", "E", "F", "G", "H"};

/// Counts who is in a fetch at the same time.
struct counted_exchange {
  std::mutex mutex;
  std::condition_variable changed;
  int inside = 0, most = 0, entered = 0;
  std::set<std::pair<std::string, instant>> asked;
  bool twice = false;

  exchange_schema schema(std::size_t at_once, int held_until_inside = 1) {
    auto exchange = wave_exchange();
    exchange.concurrent_fetches = at_once;
    exchange.get_candles = [this, held_until_inside](const candle_query& query) {
      {
        std::unique_lock lock{mutex};
        ++entered;
        most = std::max(most, ++inside);
        twice = !asked.insert({query.symbol, query.since}).second || twice;
        changed.notify_all();
        // The first ones wait for each other: without concurrency nobody would come.
        changed.wait(lock,
                     [&] { return inside >= held_until_inside || entered >= held_until_inside; });
        --inside;
      }
      return wave(query.since, query.until);
    };
    return exchange;
  }
};

std::vector<event> events_of_run(exchange_schema exchange) {
  runtime target{quiet()};
  target.add_exchange(std::move(exchange));
  target.add_frame(frame_of(2 * day_ms));
  target.add_strategy(strategy_of("buyer"));
  heard_events heard{target, {topic::signal_backtest}};
  target.backtest().background(request_of(eight_symbols)).wait();
  return heard.all();
}

} // namespace

TEST_CASE("exchange client: symbols are fetched at the same time, as many as the schema allows") {
  const watchdog guard;
  counted_exchange market;
  const auto events = events_of_run(market.schema(4, 4));
  CHECK(market.most == 4);
  CHECK(!market.twice);
  CHECK(events.size() > 100);
}

TEST_CASE("exchange client: what a run says does not depend on how many fetch") {
  const watchdog guard;
  counted_exchange alone, many;
  const auto expected = events_of_run(alone.schema(1));
  CHECK(alone.most == 1);
  CHECK(expected == events_of_run(many.schema(8)));
}

TEST_CASE("exchange client: a number of fetches that makes no sense is refused") {
  runtime target{quiet()};
  for (const std::size_t count : {std::size_t{0}, std::size_t{257}}) {
    auto exchange = wave_exchange();
    exchange.concurrent_fetches = count;
    const auto problem = failure_of([&] { target.add_exchange(exchange); });
    CHECK(problem.code == error_code::invalid_argument);
    CHECK(problem.message.find("concurrent_fetches must lie in 1..256, got " +
                               std::to_string(count)) != std::string::npos);
  }
}

TEST_CASE("exchange client: ending while many fetches are under way ends them all") {
  const watchdog guard;
  gate held;
  {
    runtime target{quiet()};
    auto exchange = wave_exchange();
    exchange.concurrent_fetches = 4;
    exchange.get_candles = [&](const candle_query& query) {
      held.pass();
      return wave(query.since, query.until);
    };
    target.add_exchange(std::move(exchange));
    target.add_frame(frame_of(day_ms));
    target.add_strategy(strategy_of("buyer"));
    auto handle = target.backtest().background(request_of(eight_symbols));
    held.wait_for_arrival(4);
    held.open();
  }
}
