#include "tests/support/live_fixture.hpp"

#include "actors/strategy/run_rows.hpp"
#include "messages/event_json.hpp"
#include "runtime/parity.hpp"
#include "storage/quarantine.hpp"
#include "storage/store_key.hpp"

#include <random>
#include <set>

#include <fmt/format.h>

using namespace backtest;
using namespace backtest::testing;
using fate = faulty_store::fate;

namespace {

std::string key_of_buyer(std::string_view kind) {
  return make_store_key({kind, "exchange", "buyer", "BTC"});
}

void put(test_disk& disk, std::string key, std::string value) {
  store_batch batch;
  batch.put(store_space::state, std::move(key), std::move(value));
  disk.content().commit(batch);
}

/// A signal of "buyer" that is pending when the node goes down half an hour into the frame.
void leave_pending_signal(test_disk& disk) {
  runtime target{on(disk)};
  add_basics(target);
  auto stream = target.live().run(one_buyer(at_full_speed()));
  REQUIRE(stream.next()->action == tick_action::opened);
}

stored_run stored_buyer(test_disk& disk) {
  const auto found = read_runs(disk.content());
  REQUIRE(found.runs.size() == 1);
  return found.runs.front();
}

} // namespace

TEST_CASE(
    "lifecycle 10, risk: on the replay clock it does what the backtest does, in its strict order") {
  const watchdog guard;
  runtime target{quiet()};
  add_five_symbols(target);
  const auto live = five_symbols_live();
  const auto result =
      compare_drivers(target, {live.symbols, live.strategies, live.exchange, live.frame});
  CHECK_MESSAGE(!result.difference, result.difference.value_or(""));
  CHECK(result.compared > 10'000);
}

TEST_CASE("lifecycle 10, journal: it holds what happened once, numbered without holes, done last") {
  const watchdog guard;
  const auto& lines = undisturbed_journal();
  REQUIRE(lines.size() > 200);
  for (std::size_t i = 0; i < lines.size(); ++i)
    CHECK(parse_event_line(lines[i]).seq == static_cast<std::int64_t>(i) + 1);
  CHECK(parse_event_line(lines.back()).item.on == topic::done_live);
}

TEST_CASE("lifecycle 10, crash: interrupted at any point and started again, it writes the same "
          "journal, 60 seeds") {
  const watchdog guard{std::chrono::seconds{300}};
  const auto& expected = undisturbed_journal();
  for (std::uint64_t seed = 0; seed < random_cases<std::uint64_t>(60); ++seed) {
    CAPTURE(seed);
    std::mt19937_64 random{seed};
    const test_disk disk;
    for (int lives = 0;; ++lives) {
      runtime target{on(disk, 1 + seed % 2)};
      add_five_symbols(target);
      const bool to_the_end = lives == 6;
      auto stream = target.live().run(five_symbols_live());
      auto left = to_the_end ? SIZE_MAX : random() % 60;
      while (left-- > 0 && stream.next()) {
      }
      if (to_the_end)
        break;
    }
    auto found = disk.journal();
    // A stream announces no end; everything else is there.
    while (!found.empty() && parse_event_line(found.back()).item.on == topic::done_live)
      found.pop_back();
    const auto facts = expected.size() - 15;
    REQUIRE(found.size() == facts);
    for (std::size_t i = 0; i < facts; ++i)
      REQUIRE(found[i] == expected[i]);
  }
}

TEST_CASE("live stream: a replay goes no further than the minute of the element asked for") {
  const watchdog guard;
  for (const int wanted : {1, 2, 5, 24}) {
    CAPTURE(wanted);
    test_disk disk;
    instant newest = 0;
    {
      runtime target{on(disk)};
      add_basics(target);
      auto stream = target.live().run(one_buyer(at_full_speed()));
      for (int i = 0; i < wanted; ++i) {
        const auto element = stream.next();
        REQUIRE(element);
        newest = element->timestamp;
      }
    }
    CHECK(stored_buyer(disk).memory.last_instant == newest);
    CHECK(instant_of(parse_event_line(disk.journal().back()).item) == newest);
  }
}

TEST_CASE("live stream: whoever has an element finds it in the statistics, and nothing after it") {
  const watchdog guard;
  const test_disk disk;
  runtime target{on(disk)};
  add_basics(target);
  auto stream = target.live().run(one_buyer(at_full_speed()));
  std::int64_t closed = 0;
  while (const auto element = stream.next()) {
    closed += element->action == tick_action::closed;
    REQUIRE(target.live().statistics("BTC", "buyer").total_signals == closed);
  }
  CHECK(closed > 20);
}

TEST_CASE("live stream: with the market, an element comes when the reports have it") {
  const watchdog guard;
  const test_disk disk;
  runtime target{on(disk)};
  add_basics(target);
  const auto clock = std::make_shared<manual_clock>(first_instant - 1);
  auto stream = target.live().run(one_buyer(clock));
  for (const auto& [minute, action, closed] :
       {std::tuple{0, tick_action::opened, 0}, {40, tick_action::closed, 1}}) {
    std::thread minutes{[&, until = first_instant + minute * minute_ms + settled] {
      clock->wait_until_watched();
      clock->set(until);
    }};
    const auto element = stream.next();
    REQUIRE(element);
    CHECK(element->action == action);
    CHECK(target.live().statistics("BTC", "buyer").total_signals >= closed); // it goes on
    minutes.join();
  }
}

TEST_CASE("live: a run that is over tells nothing when it is started again") {
  const watchdog guard;
  test_disk disk;
  for (int lives = 0; lives < 3; ++lives) {
    runtime target{on(disk)};
    add_five_symbols(target);
    const auto handle = target.live().background(five_symbols_live());
    handle.wait();
    for (const auto& run : handle.summaries())
      CHECK(run.outcome == run_outcome::completed);
  }
  CHECK(disk.journal() == undisturbed_journal());
}

TEST_CASE("lifecycle 10, durable before visible: nobody hears of anything before it is durable") {
  const watchdog guard;
  const test_disk disk;
  runtime target{on(disk)};
  add_five_symbols(target);
  std::atomic<int> early{0}, heard{0};
  subscription wanted;
  wanted.topics = {topic::signal_live, topic::risk, topic::partial_profit, topic::partial_loss};
  wanted.actions = {tick_action::scheduled, tick_action::opened, tick_action::closed,
                    tick_action::cancelled};
  auto listener = target.listen(wanted, [&](const event& item) {
    ++heard;
    if (item.number == 0 ||
        find_journal_bounds(*disk.opener()()).last < item.number)
      ++early;
  });
  target.live().background(five_symbols_live()).wait();
  target.flush();
  CHECK(heard > 100);
  CHECK(early == 0);
}

TEST_CASE("lifecycle 10, durable before visible: callbacks wait until it is durable, and what they "
          "throw is an error event") {
  const watchdog guard;
  const test_disk disk;
  runtime target{on(disk)};
  target.add_exchange(wave_exchange());
  target.add_frame(frame_of(3 * 60 * minute_ms));
  auto strategy = strategy_of("buyer");
  std::atomic<int> opened{0}, early{0};
  strategy.callbacks.on_open = [&](const tick_result& tick) {
    ++opened;
    bool durable = false;
    for (const auto& line : disk.journal())
      durable = durable || line.find(tick.signal->id) != std::string::npos;
    if (!durable)
      ++early;
    throw std::runtime_error("no");
  };
  target.add_strategy(std::move(strategy));
  target.live().background(one_buyer(at_full_speed())).wait();
  CHECK(opened > 0);
  CHECK(early == 0);
  int told = 0;
  for (const auto& line : disk.journal())
    told += line.find("on_open threw: no") != std::string::npos ? 1 : 0;
  CHECK(told == opened);
}

TEST_CASE("lifecycle 10, durable before visible: callbacks of a risk profile wait, in order, and what "
          "they throw is an error event") {
  const watchdog guard;
  const test_disk disk;
  auto options = quiet();
  // Commits that fail, some of them though they went through.
  options.open_store = disk.faulty_opener({fate::works, fate::lost, fate::kept, fate::lost});
  runtime target{std::move(options)};
  target.add_exchange(wave_exchange());
  target.add_frame(frame_of(6 * 60 * minute_ms));
  risk_schema one_at_a_time;
  one_at_a_time.risk_name = "one";
  one_at_a_time.validations.push_back(
      {[](const risk_question& question) -> std::optional<std::string> {
         if (question.active_positions.empty())
           return std::nullopt;
         return "taken";
       },
       ""});
  std::vector<std::string> told; // one at a time, as the profile has one client
  int early = 0;
  const auto note = [&](const char* what, const char* in_journal) {
    return [&, what, in_journal](const risk_question& question) {
      told.push_back(fmt::format("{} {} {}", what, question.run.strategy_name, question.timestamp));
      bool durable = false;
      for (const auto& line : disk.journal())
        durable = durable || (line.find(in_journal) != std::string::npos &&
                              line.find(*question.pending_signal.id) != std::string::npos);
      early += durable ? 0 : 1;
      if (question.run.strategy_name == "second")
        throw std::runtime_error("no");
    };
  };
  one_at_a_time.callbacks.on_allowed = note("allowed", "\"action\":\"opened\"");
  one_at_a_time.callbacks.on_rejected = note("rejected", "\"topic\":\"risk\"");
  target.add_risk(std::move(one_at_a_time));
  for (const auto* name : {"first", "second"}) {
    auto strategy = strategy_of(name);
    strategy.risk_name = "one";
    target.add_strategy(std::move(strategy));
  }
  auto request = one_buyer(at_full_speed());
  request.strategies = {"first", "second"};
  request.retry_clock = at_full_speed();
  target.live().background(request).wait();
  CHECK(early == 0);
  std::vector<std::string> expected;
  int second_decisions = 0, errors = 0;
  for (const auto& line : disk.journal()) {
    const auto item = parse_event_line(line).item;
    if (const auto* tick = std::get_if<tick_result>(&item.payload);
        tick != nullptr && tick->action == tick_action::opened)
      expected.push_back(
          fmt::format("allowed {} {}", tick->run->strategy_name, tick->timestamp));
    if (const auto* refused = std::get_if<risk_event>(&item.payload))
      expected.push_back(
          fmt::format("rejected {} {}", refused->run->strategy_name, refused->timestamp));
    errors += line.find("a callback of a risk profile threw: no") != std::string::npos ? 1 : 0;
  }
  for (const auto& line : expected)
    second_decisions += line.find(" second ") != std::string::npos ? 1 : 0;
  CHECK(told == expected);
  CHECK(second_decisions > 3);
  CHECK(errors == second_decisions);
}

TEST_CASE("live: a node that goes down before its decision is durable has told no profile") {
  const watchdog guard;
  const test_disk disk;
  std::atomic<int> told{0};
  {
    auto options = quiet();
    options.open_store = disk.faulty_opener(std::vector<fate>(1'000, fate::lost));
    runtime target{std::move(options)};
    add_basics(target);
    risk_schema open_to_all;
    open_to_all.risk_name = "open";
    open_to_all.callbacks.on_allowed = [&](const risk_question&) { ++told; };
    target.add_risk(std::move(open_to_all));
    target.override_strategy("buyer", [](strategy_schema& s) { s.risk_name = "open"; });
    tally refused;
    target.listen_error([&](const error_event& problem) {
      CHECK(problem.code == error_code::store_failed);
      refused.add();
    });
    auto request = one_buyer(at_full_speed());
    request.retry_clock = std::make_shared<manual_clock>(first_instant, true); // never again
    auto stream = target.live().background(request);
    refused.wait_for(1);
  }
  CHECK(told == 0);
  CHECK(disk.journal().empty());
}

TEST_CASE("lifecycle 10, failed commit: a store that refuses for a while loses nothing and repeats "
          "nothing") {
  const watchdog guard{std::chrono::seconds{120}};
  for (std::uint64_t seed = 0; seed < random_cases<std::uint64_t>(20); ++seed) {
    CAPTURE(seed);
    std::mt19937_64 random{seed};
    std::vector<fate> fates;
    for (int i = 0; i < 60; ++i) {
      const auto dice = random() % 4;
      fates.push_back(dice == 0 ? fate::lost : dice == 1 ? fate::kept : fate::works);
    }
    const test_disk disk;
    auto options = quiet();
    options.open_store = disk.faulty_opener(fates);
    runtime target{std::move(options)};
    add_five_symbols(target);
    heard_events errors{target, {topic::error}};
    auto request = five_symbols_live();
    request.retry_clock = at_full_speed();
    const auto handle = target.live().background(request);
    handle.wait();
    CHECK(disk.journal() == undisturbed_journal());
    CHECK(errors.count(error_code::store_failed) > 0);
    for (const auto& item : errors.all())
      CHECK(item.number == 0); // not in the journal
  }
}

TEST_CASE("lifecycle 10, crash: a pending signal goes on after a restart, with on_active, "
          "milestones once") {
  const watchdog guard;
  test_disk disk;
  leave_pending_signal(disk);
  const auto stored = stored_buyer(disk);
  CHECK(stored.memory.machine.state == signal_state::pending);
  runtime target{on(disk)};
  target.add_exchange(wave_exchange());
  target.add_frame(frame_of(day_ms));
  auto strategy = strategy_of("buyer");
  std::atomic<int> restored{0};
  std::string id;
  std::vector<partial_event> called; // filled by one actor, read when it is gone
  strategy.callbacks.on_partial_profit = [&](const partial_event& reached) {
    called.push_back(reached);
  };
  strategy.callbacks.on_partial_loss = strategy.callbacks.on_partial_profit;
  strategy.callbacks.on_active = [&](const tick_result& tick) {
    if (restored++ == 0)
      id = tick.signal->id;
  };
  target.add_strategy(std::move(strategy));
  target.live().background(one_buyer(at_full_speed())).wait();
  CHECK(restored > 0);
  CHECK(id == stored.memory.machine.signal->id);
  std::set<std::string> levels;
  std::vector<partial_event> journalled;
  for (const auto& line : disk.journal()) {
    const auto item = parse_event_line(line).item;
    const auto* partial = std::get_if<partial_event>(&item.payload);
    if (partial != nullptr && partial->timestamp > stored.memory.last_instant)
      journalled.push_back(*partial);
    if (partial != nullptr)
      CHECK(levels.insert(fmt::format("{} {} {}", partial->signal->id,
                                      static_cast<int>(partial->side), partial->level))
                .second);
  }
  CHECK(levels.size() > 10);
  CHECK(called == journalled); // none of those the run before the crash told
}

TEST_CASE("lifecycle 10, orphans: stored signals of other runs are refused and listed, watched, or "
          "dropped") {
  const watchdog guard;
  test_disk disk;
  leave_pending_signal(disk);
  const auto journalled = disk.journal().size();
  runtime target{on(disk)};
  add_basics(target);
  target.add_strategy(strategy_of("other", never));
  auto request = one_buyer(at_full_speed());
  request.strategies = {"other"};
  SUBCASE("refused") {
    try {
      target.live().background(request);
      FAIL("it started");
    } catch (const failure& caught) {
      CHECK(caught.code() == error_code::orphaned_signals);
      CHECK(std::string{caught.what()}.find("pending signal of buyer on BTC at exchange") !=
            std::string::npos);
    }
    CHECK(disk.journal().size() == journalled);
    CHECK(stored_buyer(disk).memory.machine.state == signal_state::pending);
  }
  SUBCASE("watched to its end, without a new one") {
    request.orphans = orphan_policy::watch;
    target.live().background(request).wait();
    int closed = 0, opened = 0;
    const auto lines = disk.journal();
    for (std::size_t i = journalled; i < lines.size(); ++i) {
      closed += lines[i].find("\"action\":\"closed\"") != std::string::npos ? 1 : 0;
      opened += lines[i].find("\"action\":\"opened\"") != std::string::npos ? 1 : 0;
    }
    CHECK(closed == 1);
    CHECK(opened == 0);
  }
  SUBCASE("dropped, and said so") {
    request.orphans = orphan_policy::drop;
    target.live().background(request).wait();
    CHECK(disk.content().get(store_space::state, key_of_buyer(signal_rows)) == std::nullopt);
    CHECK(disk.journal()[journalled].find("dropped as asked: pending signal of buyer on BTC") !=
          std::string::npos);
  }
}

TEST_CASE("lifecycle 10, restored state: a row that cannot be read is moved aside, told, and "
          "treated as absent") {
  const watchdog guard;
  test_disk disk;
  leave_pending_signal(disk);
  put(disk, key_of_buyer(signal_rows), "{\"version\":1,");
  runtime target{on(disk)};
  add_basics(target);
  heard_events errors{target, {topic::error}};
  target.live().background(one_buyer(at_full_speed())).wait();
  CHECK(errors.count(error_code::corrupt_state) == 1);
  const auto kept = list_quarantine(disk.content());
  REQUIRE(kept.size() == 1);
  CHECK(kept[0].key == key_of_buyer(signal_rows));
  CHECK(kept[0].value == "{\"version\":1,");
}

TEST_CASE("lifecycle 10, restored state: a row that speaks of another run refuses the start and "
          "stays as it is") {
  const watchdog guard;
  test_disk disk;
  leave_pending_signal(disk);
  auto row = *disk.content().get(store_space::state, key_of_buyer(run_rows));
  row.replace(row.find("\"exchange\""), 10, "\"elsewhere\"");
  put(disk, key_of_buyer(run_rows), row);
  const auto before = disk.state();
  runtime target{on(disk)};
  add_basics(target);
  try {
    target.live().background(one_buyer(at_full_speed()));
    FAIL("it started");
  } catch (const failure& caught) {
    CHECK(caught.code() == error_code::state_mismatch);
    CHECK(std::string{caught.what()}.find(
              "it speaks of strategy buyer on BTC at exchange elsewhere") != std::string::npos);
  }
  CHECK(disk.state() == before);
}

TEST_CASE("live: a position without a signal behind it is dropped with a warning") {
  const watchdog guard;
  test_disk disk;
  const auto key = make_store_key({position_rows, "cap", "exchange", "buyer", "BTC"});
  put(disk, key,
      R"({"version":1,"exchange_name":"exchange","strategy_name":"buyer","symbol":"BTC",)"
      R"("risk_name":"cap","position":"long","price_open":100,"opened_at":1704067200000})");
  runtime target{on(disk)};
  add_basics(target, never);
  heard_events errors{target, {topic::error}};
  target.live().background(one_buyer(at_full_speed())).wait();
  CHECK(errors.count(error_code::stale_position) == 1);
  CHECK(disk.content().get(store_space::state, key) == std::nullopt);
}

TEST_CASE("live: a restored position counts for its risk profile") {
  const watchdog guard;
  test_disk disk;
  const auto prepare = [](runtime& target) {
    target.add_exchange(wave_exchange());
    target.add_frame(frame_of(day_ms));
    risk_schema cap;
    cap.risk_name = "cap";
    cap.validations.push_back({[](const risk_question& question) -> std::optional<std::string> {
                                 if (question.active_positions.empty())
                                   return std::nullopt;
                                 return "taken by " + question.active_positions.front().strategy_name;
                               },
                               ""});
    target.add_risk(std::move(cap));
    for (const auto* name : {"first", "second"}) {
      auto strategy = strategy_of(name);
      strategy.risk_name = "cap";
      target.add_strategy(std::move(strategy));
    }
  };
  auto request = one_buyer(at_full_speed());
  request.strategies = {"first", "second"};
  {
    runtime target{on(disk)};
    prepare(target);
    auto stream = target.live().run(request);
    REQUIRE(stream.next()->run->strategy_name == "first");
  }
  runtime target{on(disk)};
  prepare(target);
  heard_events risks{target, {topic::risk}};
  target.live().background(request).wait();
  const auto refused = risks.of<risk_event>();
  REQUIRE(!refused.empty());
  CHECK(refused.front().comment == "taken by first");
}

TEST_CASE("live: names run once at a time, and a risk profile belongs to one live run") {
  const watchdog guard;
  const test_disk disk;
  runtime target{on(disk)};
  add_basics(target);
  risk_schema cap;
  cap.risk_name = "cap";
  target.add_risk(std::move(cap));
  for (const auto* name : {"first", "second"}) {
    auto strategy = strategy_of(name, never);
    strategy.risk_name = "cap";
    target.add_strategy(std::move(strategy));
  }
  const auto clock = std::make_shared<manual_clock>(first_instant, true);
  auto request = one_buyer(clock);
  request.strategies = {"first"};
  auto handle = target.live().background(request);
  CHECK_THROWS_AS(target.live().background(request), failure);
  auto other = one_buyer(std::make_shared<manual_clock>(first_instant, true));
  other.strategies = {"second"};
  try {
    target.live().background(other);
    FAIL("it started");
  } catch (const failure& caught) {
    CHECK(caught.code() == error_code::already_running);
    CHECK(std::string{caught.what()}.find("risk profile cap") != std::string::npos);
  }
  handle.cancel(); // idle: ends at once, without another minute
  handle.wait();
  CHECK(handle.summaries().front().outcome == run_outcome::stopped);
  other.clock = at_full_speed();
  target.live().background(other).wait();
}

TEST_CASE("lifecycle 10, stop: a pending signal is watched to its end and nothing is generated") {
  const watchdog guard;
  const test_disk disk;
  runtime target{on(disk)};
  add_basics(target);
  const auto clock = std::make_shared<manual_clock>(first_instant, true);
  tally opened;
  target.listen_signal_live([&](const tick_result& tick) {
    if (tick.action == tick_action::opened)
      opened.add();
  });
  auto handle = target.live().background(one_buyer(clock));
  opened.wait_for(1);
  handle.cancel();
  clock->set(first_instant + day_ms);
  handle.wait();
  const auto run = handle.summaries().front();
  CHECK(run.outcome == run_outcome::stopped);
  CHECK(run.counters.opened == 1);
  CHECK(run.counters.closed == 1);
}

TEST_CASE("lifecycle 10, operator: pauses, resumes, and closes a pending signal") {
  const watchdog guard;
  const test_disk disk;
  runtime target{on(disk)};
  add_basics(
      target,
      [](const run_context& context) {
        auto request = *buy(context); // never ends by itself while the test lasts
        request.price_take_profit *= 1.1;
        request.price_stop_loss *= 0.9;
        request.minute_estimated_time = 1440;
        return std::optional{request};
      },
      30 * day_ms);
  const auto clock = std::make_shared<manual_clock>(first_instant, true);
  tally opened, closed;
  std::atomic<close_reason> reason{close_reason::time_expired};
  target.listen_signal_live([&](const tick_result& tick) {
    if (tick.action == tick_action::opened)
      opened.add();
    if (tick.action == tick_action::closed) {
      reason = *tick.closed_by;
      closed.add();
    }
  });
  auto handle = target.live().background(one_buyer(clock));
  opened.wait_for(1);
  CHECK_THROWS_AS(target.live().cancel_scheduled("BTC", "buyer"), failure); // nothing is scheduled
  const auto told = [&](operator_command command) {
    std::thread operating{[&] { target.live().control("BTC", "buyer", command); }};
    // Minutes pass until it took effect.
    std::atomic<bool> over{false};
    std::thread minutes{[&] {
      while (!over)
        clock->set(clock->now() + minute_ms);
    }};
    operating.join();
    over = true;
    minutes.join();
  };
  const auto refusal = [&](operator_command command) {
    return failure_of([&] { target.live().control("BTC", "buyer", command); });
  };
  CHECK(refusal(operator_command::resume) ==
        error{error_code::invalid_argument, "strategy buyer on BTC is not paused"});
  told(operator_command::pause);
  CHECK(refusal(operator_command::pause) ==
        error{error_code::invalid_argument, "strategy buyer on BTC is paused already"});
  told(operator_command::close);
  closed.wait_for(1);
  CHECK(reason == close_reason::user);
  clock->set(clock->now() + 60 * minute_ms);
  CHECK(opened.count() == 1);
  told(operator_command::resume);
  for (int minutes = 0; opened.count() < 2 && minutes < 1'000; ++minutes)
    clock->set(clock->now() + minute_ms);
  opened.wait_for(2);
  handle.cancel();
  clock->set(first_instant + 40 * day_ms);
  handle.wait();
  int controls = 0;
  for (const auto& line : disk.journal())
    controls += line.find("\"topic\":\"control\"") != std::string::npos ? 1 : 0;
  CHECK(controls == 3);
}

TEST_CASE("lifecycle 10, downtime: each boundary once its candle is there, missed minutes are "
          "caught up without signals") {
  const watchdog guard;
  test_disk disk;
  const auto boundary = first_instant + 60 * minute_ms;
  tally instants;
  {
    runtime target{on(disk)};
    add_basics(target);
    const auto clock = std::make_shared<manual_clock>(boundary - 1);
    tally opened;
    target.listen_signal_live([&](const tick_result& tick) {
      if (tick.action == tick_action::opened) {
        CHECK(tick.timestamp == boundary);
        CHECK(!tick.caught_up);
        opened.add();
      }
    });
    auto stream_over = target.live().background(one_buyer(clock));
    clock->wait_until_watched();
    clock->set(boundary + 1500);
    opened.wait_for(1);
  } // goes down with a pending signal
  runtime target{on(disk)};
  add_basics(target);
  // It comes back four hours later; the signal ended long ago.
  const auto back = boundary + 240 * minute_ms;
  const auto clock = std::make_shared<manual_clock>(back + 1500);
  tally closed, opened;
  target.listen_signal_live([&](const tick_result& tick) {
    if (tick.action == tick_action::closed && closed.count() == 0) {
      CHECK(tick.caught_up);
      CHECK(tick.timestamp <= boundary + 60 * minute_ms);
      closed.add();
    }
    if (tick.action == tick_action::opened) {
      CHECK(tick.timestamp >= back);
      opened.add();
    }
  });
  auto handle = target.live().background(one_buyer(clock));
  clock->wait_until_watched();
  clock->set(back + minute_ms + 1500);
  closed.wait_for(1);
  for (int minute = 2; opened.count() == 0 && minute < 40; ++minute)
    clock->set(back + minute * minute_ms + 1500);
  opened.wait_for(1);
}

TEST_CASE("lifecycle 10, failing tick: an exchange that is down is an error event a minute, and "
          "the run goes on when it is back") {
  const watchdog guard;
  const test_disk disk;
  auto options = on(disk);
  options.parameters.get_candles_retry_count = 1;
  runtime target{std::move(options)};
  std::atomic<bool> down{true};
  auto exchange = wave_exchange();
  exchange.get_candles = [&](const candle_query& query) {
    if (down)
      throw std::runtime_error("down");
    return wave(query.since, query.until);
  };
  target.add_exchange(std::move(exchange));
  target.add_strategy(strategy_of("buyer"));
  const auto boundary = first_instant + 60 * minute_ms;
  const auto clock = std::make_shared<manual_clock>(boundary + 1500);
  tally failed, opened;
  target.listen_error([&](const error_event& problem) {
    CHECK(problem.code == error_code::fetch_failed);
    failed.add();
  });
  target.listen_signal_live([&](const tick_result& tick) {
    if (tick.action == tick_action::opened)
      opened.add();
  });
  auto handle = target.live().background(one_buyer(clock));
  clock->wait_until_watched();
  clock->set(boundary + minute_ms + 1500);
  failed.wait_for(1);
  clock->set(boundary + 2 * minute_ms + 1500);
  failed.wait_for(2);
  down = false;
  clock->set(boundary + 15 * minute_ms + 1500);
  opened.wait_for(1);
  CHECK(!handle.finished());
}

TEST_CASE("lifecycle 10, clock: set back it waits, set forward it catches up in order") {
  const watchdog guard;
  const test_disk disk;
  runtime target{on(disk)};
  add_basics(target, never);
  const auto boundary = first_instant + 60 * minute_ms;
  const auto clock = std::make_shared<manual_clock>(boundary - 1);
  std::mutex mutex;
  std::vector<instant> seen;
  tally ticks;
  target.listen_signal_live([&](const tick_result& tick) {
    {
      const std::lock_guard lock{mutex};
      seen.push_back(tick.timestamp);
    }
    ticks.add();
  });
  auto handle = target.live().background(one_buyer(clock));
  clock->wait_until_watched();
  clock->set(boundary + 1500);
  ticks.wait_for(1);
  clock->set(boundary - 30 * minute_ms); // nothing is done twice
  clock->set(boundary + 5 * minute_ms + 1500);
  ticks.wait_for(6);
  handle.cancel();
  handle.wait();
  const std::lock_guard lock{mutex};
  REQUIRE(seen.size() >= 6);
  for (std::size_t i = 0; i < seen.size(); ++i)
    CHECK(seen[i] == boundary + static_cast<instant>(i) * minute_ms);
}
