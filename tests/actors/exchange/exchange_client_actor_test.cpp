#include "actors/exchange/exchange_actor.hpp"
#include "messages/own_actor_system.hpp"
#include "tests/support/runtime_fixture.hpp"

using namespace backtest;
using namespace backtest::testing;

TEST_CASE("exchange client: of a market that goes on, a source that is an actor sees what came "
          "since it asked last") {
  const watchdog guard{};
  std::atomic<instant> now{first_instant + 60 * minute_ms};
  auto schema = wave_exchange();
  schema.now = [&now] { return now.load(); };
  schema.get_candles = [&now](const candle_query& query) {
    return wave(query.since, std::min(query.until, now.load()));
  };
  own_actor_system host{2};
  const auto client = spawn_exchange_client(host.get(), nullptr, schema, configuration{}, {});
  {
    caf::scoped_actor self{host.get()};
    const auto newest = [&](interval size) {
      instant found = 0;
      request(self, client, caf::infinite, ask_candles{"BTC", size, 2, now.load()})
          .receive(
              [&](const candle_list& answer) {
                CHECK_MESSAGE(!answer.problem, answer.problem.value_or(error{}).message);
                if (!answer.candles.empty())
                  found = answer.candles.back().open_time;
              },
              [](const caf::error&) { FAIL_CHECK("the client is gone"); });
      return (found - first_instant) / minute_ms;
    };
    CHECK(newest(interval::m1) == 59);
    CHECK(newest(interval::m5) == 55);
    now = first_instant + 66 * minute_ms;
    CHECK(newest(interval::m1) == 65);
    CHECK(newest(interval::m5) == 60);
  }
  end_actor(client);
}
