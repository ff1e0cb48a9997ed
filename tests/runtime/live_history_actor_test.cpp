#include "runtime/live_history.hpp"

#include "messages/event_json.hpp"
#include "storage/store_key.hpp"
#include "tests/support/live_fixture.hpp"

using namespace backtest;
using namespace backtest::testing;

namespace {

/// Statistics of the fifteen runs of the five symbols, interrupted after so many elements.
std::vector<trade_statistics> statistics_after(const std::vector<int>& interruptions) {
  const test_disk disk;
  for (const int elements : interruptions) {
    runtime target{on(disk)};
    add_five_symbols(target);
    auto stream = target.live().run(five_symbols_live());
    for (int i = 0; i < elements; ++i)
      REQUIRE(stream.next());
  }
  runtime target{on(disk)};
  add_five_symbols(target);
  target.live().background(five_symbols_live()).wait();
  std::vector<trade_statistics> all;
  const auto request = five_symbols_live();
  for (const auto& strategy : request.strategies)
    for (const auto& symbol : request.symbols)
      all.push_back(target.live().statistics(symbol, strategy));
  return all;
}

} // namespace

TEST_CASE("live, history: statistics of a run that was interrupted are those of one that was not") {
  const watchdog guard;
  const auto expected = statistics_after({});
  const auto found = statistics_after({20, 35});
  REQUIRE(expected.size() == 15);
  std::int64_t trades = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    trades += expected[i].total_signals;
    CHECK(found[i].total_signals == expected[i].total_signals);
    CHECK(found[i].total_pnl == expected[i].total_pnl);
    CHECK(found[i].max_drawdown == expected[i].max_drawdown);
  }
  CHECK(trades > 50);
}

TEST_CASE("live, history: a new run of the same names under another exchange starts from nothing") {
  const watchdog guard;
  const test_disk disk;
  {
    runtime target{on(disk)};
    add_basics(target);
    target.live().background(one_buyer(at_full_speed())).wait();
    CHECK(target.live().statistics("BTC", "buyer").total_signals > 10);
  }
  runtime target{on(disk)};
  add_basics(target);
  target.add_exchange(wave_exchange("other"));
  auto request = one_buyer(std::make_shared<manual_clock>(first_instant - minute_ms, true));
  request.exchange = "other";
  const auto handle = target.live().background(request);
  CHECK(target.live().statistics("BTC", "buyer").total_signals == 0);
}

TEST_CASE(
    "live, history: a journal entry that cannot be read is told and keeps nobody from starting") {
  const watchdog guard;
  test_disk disk;
  {
    runtime target{on(disk)};
    add_basics(target);
    auto stream = target.live().run(one_buyer(at_full_speed()));
    for (int i = 0; i < 5; ++i)
      REQUIRE(stream.next());
  }
  store_batch batch;
  batch.put(store_space::journal, journal_key(2), "{\"seq\":2,");
  disk.content().commit(batch);
  runtime target{on(disk)};
  add_basics(target);
  heard_events errors{target, {topic::error}};
  target.live().background(one_buyer(at_full_speed())).wait();
  const auto told = errors.of<error_event>();
  REQUIRE(told.size() == 1);
  CHECK(told.front().code == error_code::corrupt_state);
  CHECK(told.front().message.find("reports and statistics of resumed runs are incomplete") == 0);
  CHECK(target.live().statistics("BTC", "buyer").total_signals > 10);
}
