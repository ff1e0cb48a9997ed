#include "actors/exchange/exchange_actor.hpp"
#include "messages/own_actor_system.hpp"
#include "storage/memory_store.hpp"
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
      request(self, client, caf::infinite, find_candles{"BTC", size, 2, now.load()})
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

namespace {

/// Asks a client from outside, many things at the same time.
class asking {
public:
  asking(exchange_schema schema, configuration parameters, std::stop_token shutdown = {})
      : client_(spawn_exchange_client(host_.get(), nullptr, std::move(schema),
                                      std::move(parameters), std::move(shutdown))),
        self_(host_.get()) {}
  ~asking() { end_actor(client_); }
  asking(const asking&) = delete;
  asking& operator=(const asking&) = delete;

  auto ask(const std::string& symbol, interval size = interval::m1,
           instant until = first_instant + day_ms, awaited_by awaited = {}) {
    load_candles asked{symbol, size, first_instant, until};
    asked.awaited = std::move(awaited);
    return request(self_, client_, caf::infinite, std::move(asked));
  }
  template <class Asked> static candles_loaded answer_to(Asked asked) {
    candles_loaded answer;
    std::move(asked).receive([&](const candles_loaded& given) { answer = given; },
                             [](const caf::error&) { FAIL_CHECK("the client is gone"); });
    return answer;
  }

private:
  own_actor_system host_{2};
  exchange_actor client_;
  caf::scoped_actor self_;
};

} // namespace

TEST_CASE("exchange client: a symbol that waits for its next attempt holds up nobody else") {
  const watchdog guard;
  auto schema = wave_exchange(); // one thread
  schema.get_candles = [](const candle_query& query) {
    if (query.symbol == "DOWN")
      throw std::runtime_error("down");
    return wave(query.since, query.until);
  };
  configuration parameters;
  parameters.get_candles_retry_delay_ms = 3'600'000;
  std::stop_source shutdown;
  asking world{schema, parameters, shutdown.get_token()};
  auto waiting = world.ask("DOWN");
  CHECK(world.answer_to(world.ask("UP")).loaded.series->candles.size() == 1440);
  shutdown.request_stop();
  CHECK(world.answer_to(std::move(waiting)).problem ==
        error{error_code::fetch_failed, "exchange exchange: DOWN given up while shutting down"});
}

TEST_CASE("exchange client: the next attempt is made when its time has come, and fetches nothing "
          "twice") {
  const watchdog guard;
  auto schema = wave_exchange();
  std::atomic<int> asked{0};
  schema.get_candles = [&](const candle_query& query) {
    if (++asked == 2) // the second of three days
      throw std::runtime_error("once");
    return wave(query.since, query.until);
  };
  configuration parameters;
  parameters.get_candles_retry_delay_ms = 1;
  asking world{schema, parameters};
  const auto answer =
      world.answer_to(world.ask("BTC", interval::m1, first_instant + 3 * day_ms));
  REQUIRE(!answer.problem);
  CHECK(answer.loaded.series->candles.size() == 3 * 1440);
  CHECK(asked == 4);
}

TEST_CASE("exchange client: what is held is answered while more of the symbol is being fetched") {
  const watchdog guard;
  gate held;
  auto schema = wave_exchange(); // one thread
  schema.get_candles = [&](const candle_query& query) {
    if (query.since >= first_instant + day_ms)
      held.pass();
    return wave(query.since, query.until);
  };
  asking world{schema, configuration{}};
  CHECK(!world.answer_to(world.ask("BTC")).problem);
  auto more = world.ask("BTC", interval::m1, first_instant + 2 * day_ms);
  held.wait_for_arrival();
  CHECK(world.answer_to(world.ask("BTC", interval::h1)).loaded.series->candles.size() == 24);
  held.open();
  CHECK(world.answer_to(std::move(more)).loaded.series->candles.size() == 2 * 1440);
}

TEST_CASE("exchange client: strategies that wait for candles on every thread there is get them") {
  const watchdog guard;
  runtime target{quiet(1)};
  auto exchange = wave_exchange();
  exchange.concurrent_fetches = 4;
  target.add_exchange(std::move(exchange));
  target.add_frame(frame_of(60 * minute_ms));
  target.add_strategy(strategy_of("reader", [](const run_context& context) {
    context.candles(interval::h1, 24 * 3); // days nobody has loaded
    return buy(context);
  }));
  heard_events heard{target, {topic::signal_backtest}};
  run_to_end(target, request_of({"BTC"}, {"reader"}));
  CHECK(!heard.all().empty());
}

namespace {

/// Candles that outlive clients.
class archive_in_memory final : public candle_archive {
public:
  void read(const std::function<void(const store_reader&)>& work) override {
    const std::lock_guard lock{mutex_};
    work(*content_);
  }
  void write(const std::function<void(store&)>& work) override {
    const std::lock_guard lock{mutex_};
    work(*content_);
  }

private:
  std::mutex mutex_;
  std::unique_ptr<store> content_ = make_memory_store();
};

} // namespace

TEST_CASE("exchange client: what it fetched is kept, also when it ends right after its answer") {
  const watchdog guard{};
  for (int round = 0; round < 20; ++round) {
    const auto archive = std::make_shared<archive_in_memory>();
    std::atomic<int> fetches{0};
    auto schema = wave_exchange();
    schema.now = [] { return first_instant + 10 * day_ms; };
    schema.get_candles = [&fetches](const candle_query& query) {
      ++fetches;
      return wave(query.since, query.until);
    };
    const auto keeper = [&] {
      return std::make_shared<candle_keeper>("exchange", archive, [](const error& problem) {
        FAIL_CHECK(problem.message);
      });
    };
    int before = 0;
    for (int life = 0; life < 2; ++life) {
      own_actor_system host{2};
      const auto client =
          spawn_exchange_client(host.get(), nullptr, schema, configuration{}, {},
                                longest_fetch_wait, keeper);
      {
        caf::scoped_actor self{host.get()};
        request(self, client, caf::infinite,
                load_candles{"BTC", interval::m1, first_instant, first_instant + day_ms})
            .receive([](const candles_loaded& answer) { CHECK(!answer.problem); },
                     [](const caf::error&) { FAIL_CHECK("the client is gone"); });
      }
      end_actor(client);
      if (life == 0)
        before = fetches;
    }
    CHECK(before > 0);
    CHECK(fetches == before);
  }
}

TEST_CASE("exchange client: what one run stopped waiting for goes on for another") {
  const watchdog guard;
  for (const bool other_is_longer : {false, true}) {
    CAPTURE(other_is_longer);
    auto schema = wave_exchange();
    gate held;
    tally asked;
    std::vector<instant> days, told;
    bool was_told_to_stop = false;
    schema.get_candles = [&](const candle_query& query) {
      days.push_back(query.since);
      if (asked.add() == 3)
        held.pass();
      was_told_to_stop |= query.stop.stop_requested();
      return wave(query.since, query.until);
    };
    schema.callbacks.on_candle_data = [&](const std::string&, interval, instant since,
                                          std::span<const candle>) { told.push_back(since); };
    asking world{schema, configuration{}};
    std::stop_source one, other;
    constexpr instant length = 6 * day_ms;
    auto stopped =
        world.ask("BTC", interval::m1, first_instant + (other_is_longer ? 5 : 9) * day_ms,
                  {{one.get_token()}, {}});
    auto wanted = world.ask("BTC", interval::m1, first_instant + length, {{other.get_token()}, {}});
    held.wait_for_arrival();
    one.request_stop();
    held.open();
    const auto given_up = asking::answer_to(std::move(stopped));
    CHECK(given_up.given_up);
    CHECK(given_up.problem ==
          error{error_code::fetch_failed,
                "exchange exchange: BTC given up as whoever asked for it was stopped"});
    const auto answer = asking::answer_to(std::move(wanted));
    REQUIRE(!answer.problem);
    CHECK(answer.loaded.series->candles.size() == length / minute_ms);
    CHECK_FALSE(was_told_to_stop);
    CHECK(days.size() == 6); // none twice, and none that the first alone wanted
    CHECK(told == days);
  }
}

TEST_CASE(
    "exchange client: a request whose run is stopped leaves the line, whatever it waits for") {
  const watchdog guard;
  auto schema = wave_exchange();
  gate held;
  tally asked;
  schema.get_candles = [&](const candle_query& query) -> std::vector<candle> {
    asked.add();
    if (query.symbol == "BUSY")
      held.pass();
    if (query.symbol == "DOWN")
      throw std::runtime_error("down");
    return wave(query.since, query.until);
  };
  configuration parameters;
  parameters.get_candles_retry_delay_ms = 3'600'000;
  asking world{schema, parameters};
  std::stop_source run, halted;
  auto down = world.ask("DOWN", interval::m1, first_instant + day_ms, {{run.get_token()}, {}});
  auto busy = world.ask("BUSY");
  held.wait_for_arrival(); // "DOWN" waits for its next attempt by now
  auto waiting = world.ask("BTC", interval::m1, first_instant + day_ms, {{run.get_token()}, {}});
  auto of_halted = world.ask("ETH", interval::m1, first_instant + day_ms, {{}, halted.get_token()});
  run.request_stop();
  halted.request_stop();
  CHECK(asking::answer_to(std::move(down)).given_up);
  CHECK(asking::answer_to(std::move(waiting)).given_up);
  CHECK(asking::answer_to(std::move(of_halted)).given_up);
  CHECK(asking::answer_to(
            world.ask("BTC", interval::m1, first_instant + day_ms, {{run.get_token()}, {}}))
            .given_up);
  held.open();
  CHECK(!asking::answer_to(std::move(busy)).problem);
  CHECK(asking::answer_to(world.ask("BTC")).loaded.series->candles.size() == 1440);
  CHECK(asked.count() == 3);
}
