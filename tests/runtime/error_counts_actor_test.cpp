// `errors` of a run, wherever it is shown, is the number of error events that were told with its
// names: in the event file, and live in the journal.

#include "runtime/html_report.hpp"
#include "storage/store_key.hpp"
#include "tests/support/errors_of_runs.hpp"
#include "tests/support/live_story.hpp"
#include "tests/support/walker_fixture.hpp"

#include <set>

using namespace backtest;
using namespace backtest::testing;

namespace {

constexpr fixed_percentage_size at_risk{10'000, 100, 98};

/// Throws, answers what cannot be, or buys as the sizing says, one after another.
std::optional<signal_request> troubled_source(const run_context& context) {
  const auto turn = context.when() / (5 * minute_ms) % 3;
  if (turn == 0)
    throw std::runtime_error("the model is gone");
  auto request = buy(context);
  request->quantity = context.size("one_percent", at_risk);
  request->minute_estimated_time = 20;
  if (turn == 1)
    request->price_take_profit = 1;
  return request;
}

/// Runs with errors of every kind a run can tell: of its source, its signals, sizings and
/// callbacks, those of its risk profile, missing candles and candles that end before the frame.
void add_trouble(runtime& target) {
  auto exchange = wave_exchange();
  exchange.get_candles = [](const candle_query& query) {
    auto candles = wave(query.since, std::min(query.until, first_instant + 20 * 60 * minute_ms));
    std::erase_if(candles, [](const candle& item) {
      const auto minute = (item.open_time - first_instant) / minute_ms;
      return minute >= 600 && minute < 640;
    });
    return candles;
  };
  target.add_exchange(std::move(exchange));
  target.add_frame(frame_of(day_ms));
  sizing_schema sizing;
  sizing.sizing_name = "one_percent";
  sizing.risk_percentage = 1;
  sizing.callbacks.on_calculate = [](auto&&...) { throw std::runtime_error("ledger is full"); };
  target.add_sizing(sizing);
  risk_schema one_at_a_time;
  one_at_a_time.risk_name = "one";
  one_at_a_time.validations.push_back(
      {[](const risk_question& question) -> std::optional<std::string> {
         if (question.active_positions.empty())
           return std::nullopt;
         throw std::runtime_error("cannot say"); // told on topic validation
       },
       ""});
  one_at_a_time.callbacks.on_allowed = [](const risk_question&) { throw std::runtime_error("a"); };
  one_at_a_time.callbacks.on_rejected = [](const risk_question&) { throw std::runtime_error("r"); };
  target.add_risk(std::move(one_at_a_time));
  for (const auto* name : {"buyer", "rival"}) {
    auto strategy = strategy_of(name, troubled_source);
    strategy.size = interval::m5;
    strategy.risk_name = "one";
    strategy.callbacks.on_open = [](const tick_result&) { throw std::runtime_error("opened"); };
    strategy.callbacks.on_close = [](const tick_result&) { throw std::runtime_error("closed"); };
    target.add_strategy(std::move(strategy));
  }
}

live_request troubled_live(std::shared_ptr<live_clock> clock) {
  auto request = one_buyer(std::move(clock));
  request.strategies = {"buyer", "rival"};
  request.retry_clock = at_full_speed();
  return request;
}

std::set<error_code> codes_of(const std::vector<event>& events) {
  std::set<error_code> codes;
  for (const auto& item : events)
    if (const auto* problem = std::get_if<error_event>(&item.payload))
      codes.insert(problem->code);
  return codes;
}

const std::set<error_code> every_kind{error_code::data_gap, error_code::data_ended,
                                      error_code::invalid_signal, error_code::callback_failed,
                                      error_code::signal_source_failed};

errors_of_runs errors_on_page(const std::vector<event>& events) {
  html_report page;
  for (const auto& item : events)
    page.apply(item);
  errors_of_runs counts;
  for (const auto& [names, run] : page.runs)
    if (run.errors > 0)
      counts[names.second + ' ' + names.first] = run.errors;
  return counts;
}

} // namespace

TEST_CASE("errors of a run: a backtest counts every error event with its names") {
  const watchdog guard;
  runtime target{quiet()};
  add_trouble(target);
  heard_events heard{target, {topic::error, topic::exit, topic::validation}};
  target.listen({{topic::signal_backtest}, {tick_action::closed}, {}, {}},
                [](const event&) { throw std::runtime_error("a listener's own"); });
  auto run = target.backtest().background(request_of({"BTC"}, {"buyer", "rival"}));
  run.wait();
  target.flush();
  const auto counts = errors_in(run.summaries());
  CHECK(counts.size() == 2);
  CHECK(counts == errors_among(heard.all()));
  CHECK(counts == errors_on_page(heard.all()));
  auto told = codes_of(heard.all());
  CHECK(told.erase(error_code::listener_failed) == 1); // belongs to no run
  CHECK(told.erase(error_code::risk_validation_failed) == 1);
  CHECK(told == every_kind);
}

TEST_CASE(
    "errors of a run: live, on the replay clock, summary and store say what the journal says") {
  const watchdog guard;
  test_disk disk;
  runtime target{on(disk)};
  add_trouble(target);
  heard_events heard{target, {topic::error}};
  const auto run = target.live().background(troubled_live(at_full_speed()));
  run.wait();
  const auto counts = errors_in(run.summaries());
  CHECK(counts.size() == 2);
  CHECK(counts == errors_in_journal(disk));
  CHECK(counts == errors_kept(disk));
  CHECK(counts == errors_among(heard.all()));
  CHECK(codes_of(heard.all()) == every_kind);
}

TEST_CASE("errors of a run: a store that refuses is no error of a run, and nothing counts twice") {
  const watchdog guard;
  const test_disk undisturbed;
  {
    runtime target{on(undisturbed)};
    add_trouble(target);
    target.live().background(troubled_live(at_full_speed())).wait();
  }
  test_disk disk;
  auto options = quiet();
  options.open_store = disk.faulty_opener({faulty_store::fate::works, faulty_store::fate::lost,
                                           faulty_store::fate::works, faulty_store::fate::kept,
                                           faulty_store::fate::works, faulty_store::fate::kept});
  runtime target{std::move(options)};
  add_trouble(target);
  heard_events heard{target, {topic::error}};
  const auto run = target.live().background(troubled_live(at_full_speed()));
  run.wait();
  CHECK(heard.count(error_code::store_failed) == 1); // of three refusals without a minute between
  CHECK(errors_in(run.summaries()) == errors_in_journal(undisturbed));
  CHECK(errors_kept(disk) == errors_in_journal(undisturbed));
}

TEST_CASE("errors of a run: after a restart the count goes on where the journal is") {
  const watchdog guard;
  test_disk disk;
  {
    runtime target{on(disk)};
    add_trouble(target);
    auto stream = target.live().run(troubled_live(at_full_speed()));
    for (int i = 0; i < 3; ++i)
      REQUIRE(stream.next());
  }
  const auto before = errors_in_journal(disk);
  CHECK(before.size() == 2);
  CHECK(errors_kept(disk) == before);
  runtime target{on(disk)};
  add_trouble(target);
  heard_events heard{target, {topic::error}};
  const auto run = target.live().background(troubled_live(at_full_speed()));
  run.wait();
  CHECK(errors_in(run.summaries()) == errors_in_journal(disk));
  CHECK(errors_kept(disk) == errors_in_journal(disk));
  auto both = errors_among(heard.all());
  for (const auto& [name, count] : before)
    both[name] += count;
  CHECK(both == errors_in_journal(disk));
}

TEST_CASE("errors of a run: candles that cannot be had count, before the first instant and after a "
          "restart") {
  const watchdog guard;
  test_disk disk;
  two_symbols world;
  std::int64_t minute = 0;
  const auto fail_minutes = [&](std::int64_t boundaries, std::int64_t expected) {
    auto options = world.options(60);
    options.open_store = disk.opener();
    runtime target{options};
    world.add_to(
        target,
        [](const candle_query& query) {
          if (query.symbol == "AAA")
            throw failure(error_code::not_found, "symbol AAA not found");
          return wave(query.since, query.until);
        },
        false);
    target.override_strategy("buyer", [](strategy_schema& schema) { schema.get_signal = never; });
    live_story heard{target, world.boundary};
    if (minute > 0)
      world.clock->set(world.first + minute * minute_ms); // it starts at a boundary
    auto run = world.start(target);
    for (std::int64_t i = 1; i <= boundaries; ++i, ++minute) {
      const instant next = world.first + minute * minute_ms;
      if (world.clock->now() < next) { // else boundaries that pass meanwhile are one
        world.clock->wait_for_alarm_at(next);
        world.clock->set(next);
      }
      heard.wait_for(static_cast<std::size_t>(i));
    }
    run.cancel();
    run.wait();
    CHECK(errors_in(run.summaries()) == errors_of_runs{{"buyer AAA", expected}});
    CHECK(errors_in_journal(disk) == errors_of_runs{{"buyer AAA", expected}});
    CHECK(errors_kept(disk) == errors_of_runs{{"buyer AAA", expected}});
  };
  fail_minutes(3, 3);
  fail_minutes(2, 5);
}

TEST_CASE("errors of a run: that of a symbol which answers after the others went on is told at once") {
  const watchdog guard;
  two_symbols world;
  gate held;
  std::atomic<int> asked{0};
  runtime target{world.options(60)};
  world.add_to(
      target,
      [&](const candle_query& query) {
        if (query.symbol == "BBB")
          return wave(query.since, query.until);
        if (++asked > 1) // the others do not wait for whom has failed before
          held.pass();
        throw failure(error_code::not_found, "symbol AAA not found");
      },
      false);
  target.override_strategy("buyer", [](strategy_schema& schema) { schema.get_signal = never; });
  live_story heard{target, world.boundary};
  auto run = world.start(target);
  world.clock->set(world.first);
  heard.wait_for(1);
  world.clock->wait_for_alarm_at(world.first + minute_ms);
  world.clock->set(world.first + minute_ms);
  world.clock->wait_for_alarm_at(world.first + 2 * minute_ms); // that boundary is over
  held.open();
  CHECK(heard.wait_for(2) == std::vector<std::string>{"error AAA", "error AAA"});
  run.cancel();
  run.wait();
  CHECK(errors_in(run.summaries()) == errors_of_runs{{"buyer AAA", 2}});
}

TEST_CASE("errors of a run: a boundary that is postponed counts") {
  const watchdog guard;
  test_disk disk;
  two_symbols world;
  auto options = world.options(60);
  options.open_store = disk.opener();
  gate held;
  runtime target{options};
  world.add_to(
      target,
      [&](const candle_query& query) {
        if (query.symbol == "AAA")
          held.pass();
        const bool is_first = align_down(world.clock->now(), minute_ms) == world.boundary;
        return wave(query.since, query.symbol == "BBB" && is_first
                                     ? std::min(query.until, world.boundary - minute_ms)
                                     : query.until);
      },
      false);
  target.override_strategy("buyer", [](strategy_schema& schema) { schema.get_signal = never; });
  live_story heard{target, world.boundary};
  auto run = world.start(target);
  world.clock->set(world.first);
  world.clock->wait_for_alarm_at(world.first + 1000); // BBB has answered
  world.clock->set(world.boundary + 21'500);          // settle_delay_ms and candle_wait_seconds
  CHECK(heard.wait_for(1).front() == "error AAA");
  CHECK(errors_kept(disk) == errors_of_runs{{"buyer AAA", 1}});
  held.open();
  run.cancel();
  run.wait();
  CHECK(errors_in(run.summaries()) == errors_of_runs{{"buyer AAA", 1}});
  CHECK(errors_kept(disk) == errors_in_journal(disk));
}

TEST_CASE("errors of a run: what start finds in the store counts for the run it names") {
  const watchdog guard;
  test_disk disk;
  store_batch batch;
  batch.put(store_space::state, make_store_key({position_rows, "one", "exchange", "buyer", "BTC"}),
            R"({"version":1,"exchange_name":"exchange","strategy_name":"buyer","symbol":"BTC",)"
            R"("risk_name":"one","position":"long","price_open":100,"opened_at":0})");
  disk.content().commit(batch);
  runtime target{on(disk)};
  add_basics(target, never);
  heard_events heard{target, {topic::error}};
  const auto run = target.live().background(one_buyer(at_full_speed()));
  run.wait();
  CHECK(heard.count(error_code::stale_position) == 1);
  CHECK(errors_in(run.summaries()) == errors_of_runs{{"buyer BTC", 1}});
  CHECK(errors_in_journal(disk) == errors_of_runs{{"buyer BTC", 1}});
  CHECK(errors_kept(disk) == errors_of_runs{{"buyer BTC", 1}});
}

TEST_CASE("errors of a run: a run that is dropped begins anew, with all its counts") {
  const watchdog guard;
  test_disk disk;
  {
    runtime target{on(disk)};
    add_trouble(target);
    auto stream = target.live().run(troubled_live(at_full_speed()));
    while (stream.next()->action != tick_action::opened) {
    }
  }
  REQUIRE(errors_kept(disk).size() == 2);
  runtime target{on(disk)};
  add_trouble(target);
  target.add_strategy(strategy_of("other", never));
  auto request = one_buyer(at_full_speed());
  request.strategies = {"other"};
  request.orphans = orphan_policy::drop;
  target.live().background(request).wait();
  const auto found = read_runs(disk.content());
  for (const auto& told : found.errors)
    CHECK_MESSAGE(std::any_of(found.runs.begin(), found.runs.end(),
                              [&](const auto& item) {
                                return item.identity.strategy_name == told.run.strategy_name;
                              }),
                  told.run.strategy_name);
}

TEST_CASE("errors of a run: a walker's page counts what was told, of runs that fail as well") {
  const watchdog guard;
  runtime target{quiet()};
  add_trouble(target);
  target.add_strategy(failing_strategy());
  target.add_walker(walker_of({"buyer", "broken"}));
  heard_events heard{target, {topic::error, topic::exit, topic::validation}};
  auto handle = target.walker().background("BTC", "compare");
  handle.wait();
  const auto counts = errors_among(heard.all());
  CHECK(counts.at("broken BTC") == 1);
  CHECK(counts.at("buyer BTC") > 10);
  CHECK(errors_on_page(heard.all()) == counts);
}
