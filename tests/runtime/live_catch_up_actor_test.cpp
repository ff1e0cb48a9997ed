#include "tests/support/live_fixture.hpp"

#include <algorithm>

#include <fmt/format.h>

using namespace backtest;
using namespace backtest::testing;

namespace {

/// What was heard, in order: "error AAA", "opened BBB 0" (minutes since the first boundary).
class story {
public:
  story(runtime& target, instant from) : target_(target) {
    handle_ = target.listen({{topic::error, topic::signal_live}, {tick_action::opened}, {}, {}},
                            [kept = kept_, from](const event& item) {
                              std::string line;
                              if (const auto* tick = std::get_if<tick_result>(&item.payload))
                                line = fmt::format("opened {} {}", tick->run->symbol,
                                                   (tick->timestamp - from) / minute_ms);
                              else
                                line = "error " + identity_of(item)->symbol;
                              const std::lock_guard lock{kept->mutex};
                              kept->lines.push_back(std::move(line));
                              kept->changed.notify_all();
                            });
  }
  ~story() { handle_.unsubscribe(); }
  story(const story&) = delete;
  story& operator=(const story&) = delete;

  std::vector<std::string> wait_for(std::size_t lines) {
    std::unique_lock lock{kept_->mutex};
    kept_->changed.wait(lock, [&] { return kept_->lines.size() >= lines; });
    return kept_->lines;
  }

private:
  struct kept_lines {
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<std::string> lines;
  };
  std::shared_ptr<kept_lines> kept_ = std::make_shared<kept_lines>();
  runtime& target_;
  listener_handle handle_;
};

/// "buyer" on AAA and BBB, which share a risk profile; AAA cannot be fetched while `down`.
struct two_symbols {
  std::atomic<bool> down{true};
  instant boundary = first_instant + 60 * minute_ms;
  std::shared_ptr<manual_clock> clock = std::make_shared<manual_clock>(boundary - 1);

  runtime_options options(std::int64_t catch_up_wait_seconds) {
    auto chosen = quiet();
    chosen.parameters.get_candles_retry_count = 1;
    chosen.parameters.catch_up_wait_seconds = catch_up_wait_seconds;
    return chosen;
  }

  void add_to(runtime& target, bool share_profile = true) {
    auto exchange = wave_exchange();
    exchange.get_candles = [this](const candle_query& query) {
      if (down && query.symbol == "AAA")
        throw std::runtime_error("down");
      return wave(query.since, query.until);
    };
    target.add_exchange(std::move(exchange));
    risk_schema open_to_all;
    open_to_all.risk_name = "shared";
    open_to_all.validations.push_back(
        {[](const risk_question&) -> std::optional<std::string> { return std::nullopt; }, ""});
    target.add_risk(std::move(open_to_all));
    auto buyer = strategy_of("buyer");
    if (share_profile)
      buyer.risk_name = "shared";
    target.add_strategy(std::move(buyer));
  }

  run_handle start(runtime& target) {
    auto request = one_buyer(clock);
    request.symbols = {"AAA", "BBB"};
    auto handle = target.live().background(std::move(request));
    clock->wait_until_watched();
    return handle;
  }
};

using lines = std::vector<std::string>;

} // namespace

TEST_CASE(
    "live, catch-up: openings wait catch_up_wait_seconds for a symbol that cannot be fetched, "
    "then go on without it") {
  const watchdog guard;
  two_symbols world;
  runtime target{world.options(150)};
  world.add_to(target);
  story heard{target, world.boundary};
  const auto handle = world.start(target);
  const auto first = world.boundary + settled; // AAA fails, BBB wants to open
  world.clock->set(first);
  world.clock->wait_for_alarm_at(first + 1000); // BBB's answer is waited for
  world.clock->set(first + 1000);
  heard.wait_for(1);
  world.clock->set(first + minute_ms);
  heard.wait_for(2);
  world.clock->set(first + 2 * minute_ms);
  heard.wait_for(3);
  world.clock->wait_for_alarm_at(first + 150'000);
  world.clock->set(first + 150'000);
  CHECK(heard.wait_for(4) == lines{"error AAA", "error AAA", "error AAA", "opened BBB 0"});
  // It comes back and makes up for what it missed, in order.
  world.down = false;
  world.clock->set(first + 3 * minute_ms);
  CHECK(heard.wait_for(5).back() == "opened AAA 0");
  CHECK(!handle.finished());
}

TEST_CASE("live, catch-up: a symbol that comes back in time is first again") {
  const watchdog guard;
  two_symbols world;
  runtime target{world.options(150)};
  world.add_to(target);
  story heard{target, world.boundary};
  const auto handle = world.start(target);
  const auto first = world.boundary + settled;
  world.clock->set(first);
  world.clock->wait_for_alarm_at(first + 1000);
  world.clock->set(first + 1000);
  heard.wait_for(1);
  world.down = false;
  world.clock->set(first + minute_ms);
  const auto told = heard.wait_for(3);
  CHECK(told[0] == "error AAA");
  // Both at the same instant: in line order where they are durable together.
  CHECK(std::count(told.begin(), told.end(), "opened AAA 0") == 1);
  CHECK(std::count(told.begin(), told.end(), "opened BBB 0") == 1);
}

TEST_CASE("live, catch-up: without a wait the others go on at once") {
  const watchdog guard;
  two_symbols world;
  runtime target{world.options(0)};
  world.add_to(target);
  story heard{target, world.boundary};
  const auto handle = world.start(target);
  world.clock->set(world.boundary + settled);
  CHECK(heard.wait_for(2) == lines{"error AAA", "opened BBB 0"});
}

TEST_CASE("live, catch-up: who shares no risk profile with it never waits") {
  const watchdog guard;
  two_symbols world;
  runtime target{world.options(150)};
  world.add_to(target, false);
  story heard{target, world.boundary};
  const auto handle = world.start(target);
  world.clock->set(world.boundary + settled);
  CHECK(heard.wait_for(2) == lines{"error AAA", "opened BBB 0"});
}
