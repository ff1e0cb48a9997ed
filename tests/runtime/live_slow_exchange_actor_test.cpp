#include "actors/exchange/binance_candles.hpp"
#include "actors/http/http_pool.hpp"
#include "tests/actors/exchange/klines_market.hpp"
#include "tests/support/contains.hpp"
#include "tests/support/http_server.hpp"
#include "tests/support/live_story.hpp"

#include <algorithm>

using namespace backtest;
using namespace backtest::testing;
using backtest::test::http_server;
using backtest::test::klines_request;
using backtest::test::klines_text;
using backtest::test::served_answer;

namespace {

using story_lines = std::vector<std::string>;

/// Candles of AAA come when the gate opens. The newest one of BBB is late at the first boundary,
/// and asked for again: that tells a test that BBB has answered.
struct slow_symbol : two_symbols {
  gate held;
  std::atomic<int> asked{0};
  instant patience_ends = boundary + 21'500; ///< settle_delay_ms and candle_wait_seconds

  void add_to(runtime& target, bool share_profile) {
    two_symbols::add_to(
        target,
        [this](const candle_query& query) {
          if (query.symbol == "AAA") {
            ++asked;
            held.pass();
          }
          return wave(query.since, std::min(query.until, newest_end_of(query.symbol)));
        },
        share_profile);
  }
  instant newest_end_of(const std::string& symbol) const {
    const instant closed = align_down(clock->now(), minute_ms);
    return symbol == "BBB" && closed == boundary ? boundary - minute_ms : closed;
  }
  void wait_until_bbb_answered() { clock->wait_for_alarm_at(first + 1000); }
  /// The boundary that many minutes after the first one is behind the others.
  void wait_until_over(std::int64_t minute) {
    clock->wait_for_alarm_at(first + (minute + 1) * minute_ms);
  }
};

/// Two symbols of an exchange over HTTP; answers for AAA come from `answer`.
struct http_symbols : two_symbols {
  std::function<served_answer(const klines_request&)> answer;
  bool newest_is_late = false; ///< of BBB
  http_limits limits;
  http_server server{[this](const std::string& target) {
    klines_request request{target};
    if (answer && request.symbol == "AAA")
      return answer(request);
    if (newest_is_late)
      request.until = std::min(request.until, boundary - minute_ms);
    return served_answer{klines_text(request)};
  }};

  void add_to(runtime& target) {
    two_symbols::add_to(target,
                        binance_candles(
                            server.url(),
                            [pool = std::make_shared<http_pool>(limits)](
                                const std::string& url, const std::stop_token& stop) {
                              return pool->get(url, stop);
                            },
                            [clock = clock] { return clock->now(); }),
                        false);
  }
};

} // namespace

TEST_CASE(
    "live, slow exchange: the others go on while the candles of one symbol hang, and it comes "
    "later, in order") {
  const watchdog guard;
  slow_symbol world;
  runtime target{world.options(60)};
  world.add_to(target, false);
  live_story heard{target, world.boundary};
  const auto handle = world.start(target);
  world.clock->set(world.first);
  world.wait_until_bbb_answered();
  world.clock->set(world.patience_ends);
  CHECK(heard.wait_for(2) == story_lines{"error AAA", "opened BBB 0"});
  CHECK(heard.errors() ==
        story_lines{"exchange exchange: AAA: no candles up to 2024-01-01T01:00:00Z yet, "
                    "the other symbols go on without it"});
  world.wait_until_over(0);
  for (std::int64_t minute = 1; minute <= 3; ++minute) { // nobody waits for it any more
    world.clock->set(world.first + minute * minute_ms);
    world.wait_until_over(minute);
  }
  CHECK(world.asked == 1); // not asked again before it answered
  world.held.open();
  CHECK(heard.wait_for(3).back() == "opened AAA 0 caught up");
}

TEST_CASE(
    "live, slow exchange: openings of the same risk profile wait catch_up_wait_seconds for it") {
  const watchdog guard;
  slow_symbol world;
  runtime target{world.options(150)};
  world.add_to(target, true);
  live_story heard{target, world.boundary};
  const auto handle = world.start(target);
  world.clock->set(world.first);
  world.wait_until_bbb_answered();
  world.clock->set(world.patience_ends);
  world.clock->wait_for_alarm_at(world.patience_ends + 1000); // what BBB says is waited for
  world.clock->set(world.patience_ends + 1000);
  CHECK(heard.wait_for(1) == story_lines{"error AAA"});
  world.wait_until_over(0);
  SUBCASE("no longer") {
    world.clock->set(world.first + minute_ms);
    world.wait_until_over(1);
    world.clock->set(world.first + 2 * minute_ms);
    world.clock->wait_for_alarm_at(world.patience_ends + 150'000);
    CHECK(heard.wait_for(1).size() == 1);
    world.clock->set(world.patience_ends + 150'000);
    CHECK(heard.wait_for(2).back() == "opened BBB 0");
    world.held.open();
    CHECK(heard.wait_for(3).back() == "opened AAA 0 caught up");
  }
  SUBCASE("and come behind its own when it is there by then") {
    world.held.open();
    const auto told = heard.wait_for(3);
    CHECK(std::count(told.begin(), told.end(), "opened AAA 0 caught up") == 1);
    CHECK(std::count(told.begin(), told.end(), "opened BBB 0") == 1);
  }
}

TEST_CASE("live, slow exchange: a stop does not wait for a fetch that hangs") {
  const watchdog guard;
  slow_symbol world;
  runtime target{world.options(60)};
  world.add_to(target, false);
  auto handle = world.start(target);
  world.clock->set(world.first);
  world.held.wait_for_arrival();
  for (const auto* symbol : {"AAA", "BBB"})
    target.live().stop(symbol, "buyer");
  handle.wait();
  CHECK(handle.summaries()[0].outcome == run_outcome::stopped);
  world.held.open();
}

TEST_CASE("live, slow exchange: a body that never ends holds up nobody else, nor the end") {
  const watchdog guard;
  http_symbols world;
  world.limits.total_timeout = std::chrono::minutes{10};
  world.limits.slow_for = std::chrono::minutes{10};
  world.newest_is_late = true;
  world.answer = [](const klines_request& request) {
    served_answer answer{klines_text(request)};
    answer.stalls = true;
    return answer;
  };
  runtime target{world.options(60)};
  world.add_to(target);
  live_story heard{target, world.boundary};
  const auto handle = world.start(target);
  world.clock->set(world.first);
  world.clock->wait_for_alarm_at(world.first + 1000); // BBB has answered
  world.clock->set(world.boundary + 21'500);
  CHECK(heard.wait_for(2) == story_lines{"error AAA", "opened BBB 0"});
}

TEST_CASE("live, slow exchange: HTTP 429 pauses the whole server, and says so at once") {
  const watchdog guard;
  http_symbols world;
  std::atomic<bool> refuses{true};
  world.answer = [&](const klines_request& request) {
    if (refuses)
      return served_answer{"slow down", 429, {{"Retry-After", "90"}}};
    return served_answer{klines_text(request)};
  };
  runtime target{world.options(60)};
  world.add_to(target);
  live_story heard{target, world.boundary};
  const auto handle = world.start(target);
  world.clock->set(world.first);
  heard.wait_for(2); // BBB may have come before the refusal
  world.clock->wait_for_alarm_at(world.first + minute_ms);
  const auto asked = world.server.targets().size();
  refuses = false;
  world.clock->set(world.first + minute_ms);
  heard.wait_for(4);
  const auto errors = heard.errors();
  CHECK(std::any_of(errors.begin(), errors.end(), [](const auto& text) {
    return contains(text, "AAA 1m from") &&
           contains(text, "status 429, expected 200: slow down; asks to wait 90 s, longer than the "
                          "20 s that are waited");
  }));
  CHECK(contains(errors.back(), "asked not to be asked before 2024-01-01T01:01:31.500Z"));
  CHECK(world.server.targets().size() == asked); // a minute later it is still left alone
  world.clock->wait_for_alarm_at(world.first + 2 * minute_ms);
  world.clock->set(world.first + 2 * minute_ms);
  const auto told = heard.wait_for(errors.size() + 2);
  CHECK(std::count(told.begin(), told.end(), "opened AAA 0 caught up") == 1);
}
