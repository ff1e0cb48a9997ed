// What the files of tests/runtime and tests/storage do not already test under the name of a rule.
#include "tests/support/live_fixture.hpp"

#include "actors/strategy/run_rows.hpp"
#include "messages/event_json.hpp"
#include "storage/store_key.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

using namespace backtest;
using namespace backtest::testing;
using fate = faulty_store::fate;

namespace {

constexpr instant first_boundary_of_section = first_instant + 60 * minute_ms;

/// "15 closed buyer BTC time_expired caught up", in minutes since `from`.
std::string telling_of(const event& item, instant from) {
  const auto when = instant_of(item);
  auto text = when ? fmt::format("{}", (*when - from) / minute_ms) : std::string{"-"};
  const auto add = [&text](std::string_view word) { text.append(" ").append(word); };
  const auto add_names = [&] {
    if (const auto& run = identity_of(item)) {
      add(run->strategy_name);
      add(run->symbol);
    }
  };
  if (const auto* tick = std::get_if<tick_result>(&item.payload)) {
    add(to_string(tick->action));
    add_names();
    if (tick->closed_by)
      add(to_string(*tick->closed_by));
    if (tick->cancelled_by)
      add(to_string(*tick->cancelled_by));
    if (tick->caught_up)
      add("caught up");
  } else if (const auto* refused = std::get_if<risk_event>(&item.payload)) {
    add("refused");
    add_names();
    add(refused->comment);
  } else if (const auto* problem = std::get_if<error_event>(&item.payload)) {
    add(to_string(problem->code));
    add_names();
  } else if (const auto* control = std::get_if<control_event>(&item.payload)) {
    add(to_string(control->command));
    add_names();
  } else {
    add(to_string(item.on));
    add_names();
  }
  return text;
}

std::string joined(const std::vector<std::string>& lines) {
  return fmt::format("{}", fmt::join(lines, " | "));
}

/// What a runtime told of its live runs, in order and joined; instants that changed nothing only
/// when asked for.
class live_telling {
public:
  enum class quiet_instants { left_out, told };

  live_telling(runtime& target, instant from, quiet_instants quiet = quiet_instants::left_out)
      : target_(target) {
    handle_ =
        target.listen({{topic::signal_live, topic::error, topic::risk, topic::control}, {}, {}, {}},
                      [kept = kept_, from, quiet](const event& item) {
                        const std::lock_guard lock{kept->mutex};
                        const auto* tick = std::get_if<tick_result>(&item.payload);
                        if (const auto when = instant_of(item))
                          kept->latest = std::max(kept->latest, (*when - from) / minute_ms);
                        const bool is_quiet =
                            tick != nullptr && (tick->action == tick_action::idle ||
                                                tick->action == tick_action::waiting ||
                                                tick->action == tick_action::active);
                        if (!is_quiet || quiet == quiet_instants::told)
                          kept->lines.push_back(telling_of(item, from));
                        kept->changed.notify_all();
                      });
  }
  ~live_telling() { handle_.unsubscribe(); }
  live_telling(const live_telling&) = delete;
  live_telling& operator=(const live_telling&) = delete;

  /// Once there are so many lines.
  std::string wait_for(std::size_t lines) {
    std::unique_lock lock{kept_->mutex};
    kept_->changed.wait(lock, [&] { return kept_->lines.size() >= lines; });
    return joined(kept_->lines);
  }
  /// Once some run examined that minute.
  void wait_for_minute(std::int64_t minute) {
    std::unique_lock lock{kept_->mutex};
    kept_->changed.wait(lock, [&] { return kept_->latest >= minute; });
  }
  std::string so_far() {
    target_.flush();
    const std::lock_guard lock{kept_->mutex};
    return joined(kept_->lines);
  }

private:
  struct kept_lines {
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<std::string> lines;
    std::int64_t latest = -1;
  };
  std::shared_ptr<kept_lines> kept_ = std::make_shared<kept_lines>();
  runtime& target_;
  listener_handle handle_;
};

/// Minutes at which signal sources were asked.
class asked_minutes {
public:
  explicit asked_minutes(instant from) : from_(from) {}
  void note(const run_context& context) {
    const std::lock_guard lock{mutex_};
    minutes_.push_back((context.when() - from_) / minute_ms);
  }
  std::vector<std::int64_t> so_far() const {
    const std::lock_guard lock{mutex_};
    return minutes_;
  }

private:
  instant from_;
  mutable std::mutex mutex_;
  std::vector<std::int64_t> minutes_;
};

using minutes_asked = std::vector<std::int64_t>;

/// A position that is open for `minutes`, whatever the wave does.
signal_request staying_open(const run_context& context, std::int64_t minutes) {
  auto request = *buy(context);
  request.price_take_profit = context.average_price() * 1.1;
  request.price_stop_loss = context.average_price() * 0.9;
  request.minute_estimated_time = minutes;
  return request;
}

/// Waits for a price far below the wave.
signal_request never_reached(const run_context& context) {
  signal_request request;
  request.price_open = context.average_price() * 0.8;
  request.price_take_profit = context.average_price();
  request.price_stop_loss = context.average_price() * 0.75;
  request.minute_estimated_time = 60;
  return request;
}

/// Asked in every slot, it wants `request` at that minute and nothing at any other.
signal_function only_at(std::int64_t minute, instant from, std::int64_t lifetime) {
  return [=](const run_context& context) -> std::optional<signal_request> {
    if (context.when() != from + minute * minute_ms)
      return std::nullopt;
    return staying_open(context, lifetime);
  };
}

risk_schema room_for(std::size_t positions) {
  risk_schema schema;
  schema.risk_name = "cap";
  schema.validations.push_back(
      {[positions](const risk_question& question) -> std::optional<std::string> {
         if (question.active_positions.size() < positions)
           return std::nullopt;
         return "full";
       },
       ""});
  return schema;
}

strategy_schema under_cap(const std::string& name, signal_function source) {
  auto schema = strategy_of(name, std::move(source));
  schema.risk_name = "cap";
  return schema;
}

/// What a store was told to do, in order.
class store_steps {
public:
  struct step {
    bool is_reopen = false;
    store_batch batch;
  };
  void add(step next) {
    const std::lock_guard lock{mutex_};
    steps_.push_back(std::move(next));
  }
  std::vector<step> all() const {
    const std::lock_guard lock{mutex_};
    return steps_;
  }

private:
  mutable std::mutex mutex_;
  std::vector<step> steps_;
};

using fate_function = std::function<fate(const store_batch&)>;

/// Notes what it is told; a batch meets the fate that is chosen for it.
class noting_store final : public shared_store {
public:
  noting_store(std::unique_ptr<store> inner, std::shared_ptr<store_steps> steps,
               fate_function choose)
      : shared_store(std::move(inner)), steps_(std::move(steps)), choose_(std::move(choose)) {}

  void commit(const store_batch& batch) override {
    steps_->add({false, batch});
    const auto chosen = choose_ ? choose_(batch) : fate::works;
    if (chosen != fate::lost)
      shared_store::commit(batch);
    if (chosen != fate::works)
      throw failure(error_code::store_failed, "the commit failed");
  }
  void reopen() override { steps_->add({true, {}}); }

private:
  std::shared_ptr<store_steps> steps_;
  fate_function choose_;
};

runtime_options noting(const test_disk& disk, const std::shared_ptr<store_steps>& steps,
                       fate_function choose = {}) {
  auto options = on(disk);
  options.open_store = [opener = disk.opener(), steps, choose]() -> std::unique_ptr<store> {
    return std::make_unique<noting_store>(opener(), steps, choose);
  };
  return options;
}

bool is_in_journal(const store_batch& batch, std::string_view part) {
  return std::any_of(batch.begin(), batch.end(), [part](const store_write& write) {
    return write.space == store_space::journal && write.value &&
           write.value->find(part) != std::string_view::npos;
  });
}

constexpr std::string_view opened_in_journal = R"("action":"opened")";

/// The events a batch adds to the journal.
std::vector<std::string> events_in(const store_batch& batch, instant from) {
  std::vector<std::string> lines;
  for (const auto& write : batch)
    if (write.space == store_space::journal && write.value)
      lines.push_back(telling_of(parse_event_line(*write.value).item, from));
  return lines;
}

/// "+key" of the rows of runs it writes, "-key" of those it erases, by key.
std::vector<std::string> rows_in(const store_batch& batch) {
  std::vector<std::string> rows;
  for (const auto& write : batch)
    if (write.space == store_space::state && write.key != "journal_totals")
      rows.push_back((write.value ? "+" : "-") + std::string{write.key});
  std::sort(rows.begin(), rows.end(),
            [](const auto& left, const auto& right) { return left.substr(1) < right.substr(1); });
  return rows;
}

/// The batch whose journal entries begin with that one.
store_batch batch_with(const store_steps& steps, std::string_view first_event) {
  for (const auto& step : steps.all()) {
    const auto events = events_in(step.batch, first_instant);
    if (!events.empty() && events.front() == first_event)
      return step.batch;
  }
  FAIL("no batch begins with ", std::string{first_event});
  return {};
}

stored_run only_run_on(test_disk& disk) {
  const auto found = read_runs(disk.content());
  REQUIRE(found.runs.size() == 1);
  return found.runs.front();
}

std::vector<std::string> journal_tellings(const test_disk& disk, instant from) {
  std::vector<std::string> lines;
  for (const auto& line : disk.journal())
    lines.push_back(telling_of(parse_event_line(line).item, from));
  return lines;
}

std::shared_ptr<manual_clock> replay_clock() {
  return std::make_shared<manual_clock>(first_instant, true);
}

/// The machine's, as far as the run knows, right before the first boundary.
std::shared_ptr<manual_clock> clock_before_first_boundary() {
  return std::make_shared<manual_clock>(first_boundary_of_section - 1);
}

constexpr instant settled_minute(std::int64_t minute) {
  return first_boundary_of_section + minute * minute_ms + settled;
}

/// Lets minutes pass until the command took effect.
void command(runtime& target, manual_clock& clock, operator_command what) {
  std::atomic<bool> over{false};
  std::thread operating{[&] {
    target.live().control("BTC", "buyer", what);
    over = true;
  }};
  while (!over) {
    clock.set(clock.now() + minute_ms);
    std::this_thread::yield();
  }
  operating.join();
}

} // namespace

// -- every minute boundary
// ----------------------------------------------------------------------------

TEST_CASE(
    "lifecycle 10, boundary: a strategy is advanced once, settle_delay_ms after it, with when "
    "= the boundary") {
  const watchdog guard;
  const test_disk disk;
  asked_minutes asked{first_boundary_of_section};
  runtime target{on(disk)};
  target.add_exchange(wave_exchange());
  auto strategy = strategy_of("buyer", [&](const run_context& context) {
    asked.note(context);
    return never(context);
  });
  strategy.size = interval::m1;
  target.add_strategy(std::move(strategy));
  live_telling told{target, first_boundary_of_section, live_telling::quiet_instants::told};
  const auto clock = clock_before_first_boundary();
  const auto handle = target.live().background(one_buyer(clock));
  clock->wait_for_alarm_at(first_boundary_of_section + 1500);
  clock->set(first_boundary_of_section + 1499);
  CHECK(told.so_far() == "");
  clock->set(first_boundary_of_section + 1500);
  CHECK(told.wait_for(1) == "0 idle buyer BTC");
  clock->wait_for_alarm_at(first_boundary_of_section + minute_ms + 1500);
  clock->set(first_boundary_of_section + minute_ms + 1500);
  CHECK(told.wait_for(2) == "0 idle buyer BTC | 1 idle buyer BTC");
  CHECK(asked.so_far() == minutes_asked{0, 1});
}

TEST_CASE(
    "lifecycle 10, downtime: it does not hide a stop loss, every missed minute is examined in "
    "order, nothing is generated for one") {
  const watchdog guard;
  const test_disk disk;
  const auto falls_at_20 = [](const candle_query& query) {
    auto candles = wave(query.since, query.until);
    for (auto& item : candles)
      if (item.open_time == first_boundary_of_section + 20 * minute_ms)
        item.low = item.close = item.open = item.high = 50;
    return candles;
  };
  asked_minutes asked{first_boundary_of_section};
  const auto add_to = [&](runtime& target) {
    auto exchange = wave_exchange();
    exchange.get_candles = falls_at_20;
    target.add_exchange(std::move(exchange));
    target.add_strategy(strategy_of("buyer", [&](const run_context& context) {
      asked.note(context);
      return std::optional{staying_open(context, 600)};
    }));
  };
  {
    runtime target{on(disk)};
    add_to(target);
    live_telling told{target, first_boundary_of_section};
    const auto clock = clock_before_first_boundary();
    const auto handle = target.live().background(one_buyer(clock));
    clock->wait_until_watched();
    clock->set(settled_minute(0));
    CHECK(told.wait_for(1) == "0 opened buyer BTC");
  }
  runtime target{on(disk)};
  add_to(target);
  live_telling told{target, first_boundary_of_section, live_telling::quiet_instants::told};
  const auto clock = std::make_shared<manual_clock>(settled_minute(45) - settled - 1);
  const auto handle = target.live().background(one_buyer(clock));
  clock->wait_until_watched();
  clock->set(settled_minute(45));
  std::vector<std::string> expected;
  for (int minute = 1; minute <= 20; ++minute)
    expected.push_back(fmt::format("{} active buyer BTC caught up", minute));
  expected.push_back("21 closed buyer BTC stop_loss caught up");
  expected.push_back("45 opened buyer BTC");
  CHECK(told.wait_for(expected.size()) == joined(expected));
  CHECK(asked.so_far() == minutes_asked{0, 45});
}

TEST_CASE(
    "lifecycle 10, late candle: asked for again until candle_wait_seconds are over, then it is "
    "a gap, and counted") {
  const watchdog guard;
  const test_disk disk;
  tally asked;
  const auto clock = clock_before_first_boundary();
  runtime target{on(disk)};
  auto exchange = wave_exchange();
  exchange.now = [clock] { return clock->now(); };
  exchange.get_candles = [&](const candle_query& query) {
    asked.add();
    return wave(query.since, std::min(query.until, first_boundary_of_section - minute_ms));
  };
  target.add_exchange(std::move(exchange));
  target.add_strategy(strategy_of("buyer", never));
  live_telling told{target, first_boundary_of_section, live_telling::quiet_instants::told};
  auto handle = target.live().background(one_buyer(clock));
  clock->wait_until_watched();
  clock->set(settled_minute(0));
  clock->wait_for_alarm_at(settled_minute(0) + 1000);
  const auto asked_at_once = asked.count();
  clock->set(settled_minute(0) + 1000);
  clock->wait_for_alarm_at(settled_minute(0) + 2000);
  CHECK(asked.count() > asked_at_once);
  clock->set(settled_minute(0) + 19'999);
  clock->wait_for_alarm_at(settled_minute(0) + 20'000);
  CHECK(told.so_far() == "");
  clock->set(settled_minute(0) + 20'000);
  told.wait_for_minute(0);
  handle.cancel();
  handle.wait();
  CHECK(handle.summaries().front().gaps == 1);
}

TEST_CASE("lifecycle 10, run row: that a symbol is not listed yet is told once, also across a "
          "restart") {
  const watchdog guard;
  test_disk disk;
  auto options = on(disk);
  options.parameters.candle_wait_seconds = 0;
  const instant listed = first_boundary_of_section + 5 * minute_ms;
  const auto add_to = [&](runtime& target, const std::shared_ptr<manual_clock>& clock) {
    auto exchange = wave_exchange();
    exchange.now = [clock] { return clock->now(); };
    exchange.get_candles = [listed](const candle_query& query) {
      return wave(std::max(query.since, listed), query.until);
    };
    target.add_exchange(std::move(exchange));
    target.add_strategy(strategy_of("buyer", only_at(7, first_boundary_of_section, 60)));
    target.override_strategy("buyer", [](strategy_schema& schema) { schema.size = interval::m1; });
  };
  {
    const auto clock = clock_before_first_boundary();
    runtime target{options};
    add_to(target, clock);
    live_telling told{target, first_boundary_of_section};
    const auto handle = target.live().background(one_buyer(clock));
    clock->wait_until_watched();
    clock->set(settled_minute(0));
    CHECK(told.wait_for(1) == "0 data_gap buyer BTC");
    clock->wait_for_alarm_at(settled_minute(1));
    clock->set(settled_minute(1));
    clock->wait_for_alarm_at(settled_minute(2));
    CHECK(told.so_far() == "0 data_gap buyer BTC");
  }
  CHECK(only_run_on(disk).memory.told_no_candles);
  const auto clock = std::make_shared<manual_clock>(settled_minute(2) - settled - 1);
  runtime target{options};
  add_to(target, clock);
  live_telling told{target, first_boundary_of_section};
  const auto handle = target.live().background(one_buyer(clock));
  clock->wait_until_watched();
  clock->set(settled_minute(3));
  clock->wait_for_alarm_at(settled_minute(4));
  CHECK(told.so_far() == "");
  clock->set(settled_minute(7));
  CHECK(told.wait_for(1) == "7 opened buyer BTC");
}

TEST_CASE(
    "lifecycle 10, catch-up: events of caught-up instants carry caught_up, those of the one that "
    "is due do not") {
  const watchdog guard;
  const test_disk disk;
  runtime target{on(disk)};
  add_basics(target, never);
  live_telling told{target, first_boundary_of_section, live_telling::quiet_instants::told};
  const auto clock = clock_before_first_boundary();
  const auto handle = target.live().background(one_buyer(clock));
  clock->wait_until_watched();
  clock->set(settled_minute(0));
  told.wait_for_minute(0);
  clock->set(settled_minute(3));
  CHECK(told.wait_for(4) == "0 idle buyer BTC | 1 idle buyer BTC caught up | "
                            "2 idle buyer BTC caught up | 3 idle buyer BTC");
}

// -- durable before visible
// ---------------------------------------------------------------------------

TEST_CASE("lifecycle 10, durable before visible: a transition is one batch with its signal, risk "
          "positions, milestones and journal entries") {
  const watchdog guard;
  const test_disk disk;
  const auto steps = std::make_shared<store_steps>();
  runtime target{noting(disk, steps)};
  target.add_exchange(wave_exchange());
  target.add_frame(frame_of(60 * minute_ms));
  target.add_risk(room_for(1));
  target.add_strategy(under_cap("buyer", [](const run_context& context) {
    return context.when() == first_instant ? buy(context) : std::nullopt;
  }));
  const auto clock = replay_clock();
  const auto handle = target.live().background(one_buyer(clock));
  clock->set(first_instant + day_ms);
  handle.wait();
  const std::string milestones = "milestones/exchange/buyer/BTC/buyer%3ABTC%3A1704067200000";
  const auto opened = batch_with(*steps, "0 opened buyer BTC");
  CHECK(joined(events_in(opened, first_instant)) == "0 opened buyer BTC");
  CHECK(joined(rows_in(opened)) == "+position/cap/exchange/buyer/BTC | +run/exchange/buyer/BTC | "
                                   "+signal/exchange/buyer/BTC");
  const auto milestone = batch_with(*steps, "8 partial_profit buyer BTC");
  CHECK(joined(rows_in(milestone)) == "+" + milestones + " | +run/exchange/buyer/BTC");
  const auto closed = batch_with(*steps, "23 closed buyer BTC take_profit");
  CHECK(joined(rows_in(closed)) == "-" + milestones +
                                       " | -position/cap/exchange/buyer/BTC | "
                                       "+run/exchange/buyer/BTC | -signal/exchange/buyer/BTC");
}

// -- the run's row
// ------------------------------------------------------------------------------------

TEST_CASE(
    "lifecycle 10, run row: committed at every boundary, also without a transition, grouped with "
    "the others") {
  const watchdog guard;
  const test_disk disk;
  const auto steps = std::make_shared<store_steps>();
  runtime target{noting(disk, steps)};
  add_basics(target, never);
  live_telling told{target, first_boundary_of_section};
  const auto clock = clock_before_first_boundary();
  auto request = one_buyer(clock);
  request.symbols = {"AAA", "BBB"};
  const auto handle = target.live().background(request);
  clock->wait_until_watched();
  for (std::int64_t minute = 0; minute < 4; ++minute) {
    clock->set(settled_minute(minute));
    told.wait_for_minute(minute);
    const auto all = steps->all();
    CHECK(all.size() == static_cast<std::size_t>(minute) + 1);
    if (minute > 0) // the first one also clears what was there before
      CHECK(joined(rows_in(all.back().batch)) ==
            "+run/exchange/buyer/AAA | +run/exchange/buyer/BBB");
  }
}

TEST_CASE("lifecycle 10, run row: it holds the last completed instant and the last used slot") {
  const watchdog guard;
  test_disk disk;
  runtime target{on(disk)};
  add_basics(target, never);
  live_telling told{target, first_boundary_of_section};
  const auto clock = clock_before_first_boundary();
  const auto handle = target.live().background(one_buyer(clock));
  clock->wait_until_watched();
  for (std::int64_t minute = 0; minute <= 17; ++minute) {
    clock->set(settled_minute(minute));
    told.wait_for_minute(minute);
  }
  const auto stored = only_run_on(disk);
  CHECK(stored.memory.last_instant == first_boundary_of_section + 17 * minute_ms);
  CHECK(stored.memory.machine.used_slot == first_boundary_of_section + 15 * minute_ms);
}

TEST_CASE("lifecycle 10, crash: an instant begun but not committed is redone whole, generation "
          "included") {
  const watchdog guard;
  test_disk disk;
  asked_minutes asked{first_instant};
  const auto add_to = [&](runtime& target) {
    add_basics(target, [&](const run_context& context) {
      asked.note(context);
      return only_at(15, first_instant, 60)(context);
    });
  };
  {
    const auto steps = std::make_shared<store_steps>();
    runtime target{noting(disk, steps, [](const store_batch& batch) {
      return is_in_journal(batch, opened_in_journal) ? fate::lost : fate::works;
    })};
    add_to(target);
    live_telling told{target, first_instant};
    const auto clock = replay_clock();
    auto request = one_buyer(clock);
    request.retry_clock = std::make_shared<manual_clock>(0);
    const auto handle = target.live().background(request);
    clock->set(first_instant + 15 * minute_ms);
    CHECK(told.wait_for(1) == "- store_failed");
  }
  CHECK(only_run_on(disk).memory.last_instant == first_instant + 14 * minute_ms);
  CHECK(asked.so_far() == minutes_asked{0, 15});
  runtime target{on(disk)};
  add_to(target);
  live_telling told{target, first_instant};
  const auto handle = target.live().background(
      one_buyer(std::make_shared<manual_clock>(first_instant + 15 * minute_ms, true)));
  CHECK(told.wait_for(1) == "15 opened buyer BTC");
  CHECK(asked.so_far() == minutes_asked{0, 15, 15});
}

TEST_CASE("lifecycle 10, downtime: on the replay clock nothing is missed") {
  const watchdog guard;
  const test_disk disk;
  asked_minutes asked{first_instant};
  const auto live_until = [&](std::int64_t minute) {
    runtime target{on(disk)};
    add_basics(target, [&](const run_context& context) {
      asked.note(context);
      return never(context);
    });
    live_telling told{target, first_instant, live_telling::quiet_instants::told};
    const auto handle = target.live().background(
        one_buyer(std::make_shared<manual_clock>(first_instant + minute * minute_ms, true)));
    told.wait_for_minute(minute);
    return told.so_far().find("caught up") == std::string::npos;
  };
  CHECK(live_until(14));
  CHECK(live_until(50)); // it was down from minute 15 on, by its own clock
  CHECK(asked.so_far() == minutes_asked{0, 15, 30, 45});
}

// -- batches
// ------------------------------------------------------------------------------------------

TEST_CASE("lifecycle 10, batches: transitions of an instant that share a profile are one batch, "
          "committed in the order in which risk decided") {
  const watchdog guard;
  const test_disk disk;
  const auto steps = std::make_shared<store_steps>();
  runtime target{noting(disk, steps)};
  target.add_exchange(wave_exchange());
  target.add_frame(frame_of(6 * 60 * minute_ms));
  auto cap = room_for(3);
  std::vector<std::string> decided; // by the arbiter, which is one actor
  cap.validations.push_back({[&](const risk_question& question) -> std::optional<std::string> {
                               decided.push_back(
                                   fmt::format("{} opened {} {}",
                                               (question.timestamp - first_instant) / minute_ms,
                                               question.run.strategy_name, question.run.symbol));
                               return std::nullopt;
                             },
                             ""});
  target.add_risk(std::move(cap));
  target.add_strategy(under_cap("a", buy));
  target.add_strategy(under_cap("b", buy));
  const auto clock = replay_clock();
  auto request = one_buyer(clock);
  request.symbols = {"AAA", "BBB"};
  request.strategies = {"a", "b"};
  const auto handle = target.live().background(request);
  clock->set(first_instant + day_ms);
  handle.wait();
  std::vector<std::string> committed;
  std::set<std::string> instants;
  for (const auto& step : steps->all()) {
    std::set<std::string> of_batch;
    for (const auto& line : events_in(step.batch, first_instant)) {
      of_batch.insert(line.substr(0, line.find(' ')));
      if (line.find(" opened ") != std::string::npos)
        committed.push_back(line);
    }
    for (const auto& minute : of_batch)
      if (minute != "-")
        CHECK_MESSAGE(instants.insert(minute).second, minute); // all of it at once
  }
  CHECK(joined(committed) == joined(decided));
  REQUIRE(committed.size() > 3);
  committed.resize(3);
  CHECK(joined(committed) == "0 opened a AAA | 0 opened a BBB | 0 opened b AAA");
}

TEST_CASE(
    "lifecycle 10, batches: without a slow source an instant of the system clock is committed as "
    "a prefix, and its opening is decided as it comes") {
  const watchdog guard;
  const test_disk disk;
  const auto steps = std::make_shared<store_steps>();
  const auto answers = std::make_shared<gate>(); // the source is left to its call
  runtime target{noting(disk, steps)};
  target.add_exchange(wave_exchange());
  target.add_risk(room_for(1));
  auto slow = under_cap("a_slow", [answers](const run_context& context) {
    answers->pass();
    return buy(context);
  });
  slow.blocking = true;
  target.add_strategy(std::move(slow));
  target.add_strategy(under_cap("b_fast", buy));
  live_telling told{target, first_boundary_of_section};
  const auto clock = clock_before_first_boundary();
  auto request = one_buyer(clock);
  request.strategies = {"a_slow", "b_fast"};
  const auto handle = target.live().background(request);
  clock->wait_until_watched();
  clock->set(settled_minute(0));
  answers->wait_for_arrival();
  clock->wait_for_alarm_at(settled_minute(0) + 1000); // the answer is waited for
  clock->set(settled_minute(0) + 1000);
  CHECK(told.wait_for(1) == "0 opened b_fast BTC");
  CHECK(joined(events_in(steps->all().back().batch, first_boundary_of_section)) ==
        "0 opened b_fast BTC");
  answers->open();
  CHECK(told.wait_for(2) == "0 opened b_fast BTC | 0 refused a_slow BTC full");
}

TEST_CASE("lifecycle 10, risk: on the system clock ends come before openings") {
  const watchdog guard;
  const test_disk disk;
  runtime target{on(disk)};
  target.add_exchange(wave_exchange());
  target.add_risk(room_for(1));
  target.add_strategy(under_cap("a", only_at(15, first_boundary_of_section, 60)));
  target.add_strategy(under_cap("b", only_at(0, first_boundary_of_section, 15)));
  live_telling told{target, first_boundary_of_section};
  const auto clock = clock_before_first_boundary();
  auto request = one_buyer(clock);
  request.strategies = {"a", "b"};
  const auto handle = target.live().background(request);
  clock->wait_until_watched();
  for (std::int64_t minute = 0; minute <= 15; ++minute) {
    clock->set(settled_minute(minute));
    told.wait_for_minute(minute);
  }
  CHECK(told.wait_for(3) ==
        "0 opened b BTC | 15 opened a BTC | 15 closed b BTC time_expired"); // in line order
}

TEST_CASE("lifecycle 10, catch-up: the positions of a symbol whose candles cannot be fetched still "
          "count when the others go on without it") {
  const watchdog guard;
  const test_disk disk;
  auto options = on(disk);
  options.parameters.get_candles_retry_count = 1;
  options.parameters.catch_up_wait_seconds = 0;
  runtime target{options};
  const auto clock = clock_before_first_boundary();
  auto exchange = wave_exchange();
  exchange.now = [clock] { return clock->now(); };
  exchange.get_candles = [clock](const candle_query& query) {
    if (query.symbol == "AAA" && clock->now() >= settled_minute(15))
      throw failure(error_code::fetch_failed, "the exchange is down");
    return wave(query.since, query.until);
  };
  target.add_exchange(std::move(exchange));
  target.add_risk(room_for(1));
  target.add_strategy(
      under_cap("buyer", [](const run_context& context) { return staying_open(context, 600); }));
  live_telling told{target, first_boundary_of_section};
  auto request = one_buyer(clock);
  request.symbols = {"AAA", "BBB"};
  const auto handle = target.live().background(request);
  clock->wait_until_watched();
  for (std::int64_t minute = 0; minute < 15; ++minute) {
    clock->set(settled_minute(minute));
    told.wait_for_minute(minute);
  }
  clock->set(settled_minute(15));
  CHECK(told.wait_for(4) == "0 opened buyer AAA | 0 refused buyer BBB full | 15 fetch_failed buyer "
                            "AAA | 15 refused buyer BBB full");
}

// -- a commit that fails
// ------------------------------------------------------------------------------

TEST_CASE("lifecycle 10, failed commit: the same batch with the same numbers is written again, the "
          "store reopened first, before the run's next instant, later ones follow in order") {
  const watchdog guard;
  const test_disk disk;
  const auto steps = std::make_shared<store_steps>();
  auto first_fate = fate::lost;
  SUBCASE("it was not there") {}
  SUBCASE("it was there") { first_fate = fate::kept; }
  std::atomic<bool> failed{false};
  asked_minutes asked{first_boundary_of_section};
  runtime target{noting(disk, steps, [&](const store_batch& batch) {
    return is_in_journal(batch, opened_in_journal) && !failed.exchange(true) ? first_fate
                                                                             : fate::works;
  })};
  target.add_exchange(wave_exchange());
  auto strategy = strategy_of("buyer", [&](const run_context& context) {
    asked.note(context);
    return only_at(0, first_boundary_of_section, 2)(context);
  });
  strategy.size = interval::m1;
  target.add_strategy(std::move(strategy));
  live_telling told{target, first_boundary_of_section, live_telling::quiet_instants::told};
  const auto clock = clock_before_first_boundary();
  const auto retry_clock = std::make_shared<manual_clock>(0);
  auto request = one_buyer(clock);
  request.retry_clock = retry_clock;
  const auto handle = target.live().background(request);
  clock->wait_until_watched();
  clock->set(settled_minute(0));
  CHECK(told.wait_for(1) == "- store_failed");
  retry_clock->wait_until_watched();
  clock->set(settled_minute(4));
  CHECK(asked.so_far() == minutes_asked{0});
  CHECK(steps->all().size() == 1);
  retry_clock->set(minute_ms);
  CHECK(told.wait_for(7) ==
        "- store_failed | 0 opened buyer BTC | 1 active buyer BTC caught up | "
        "2 closed buyer BTC time_expired caught up | 2 idle buyer BTC caught up | "
        "3 idle buyer BTC caught up | 4 idle buyer BTC");
  CHECK(asked.so_far() == minutes_asked{0, 2, 3, 4});
  const auto all = steps->all();
  REQUIRE(all.size() >= 3);
  CHECK(all[1].is_reopen);
  CHECK(all[2].batch == all[0].batch);
  std::vector<std::string> numbered;
  for (const auto& line : read_journal(*disk.opener()(), 1))
    numbered.push_back(
        fmt::format("{}: {}", line.number,
                    telling_of(parse_event_line(line.text).item, first_boundary_of_section)));
  CHECK(joined(numbered) == "1: 0 opened buyer BTC | 2: 2 closed buyer BTC time_expired caught up");
}

// -- the journal and who listens
// ----------------------------------------------------------------------

TEST_CASE(
    "lifecycle 10, journal: ticks, performance and store_failed are announced without a number, "
    "seq null") {
  const watchdog guard;
  const test_disk disk;
  std::atomic<bool> failed{false};
  runtime target{noting(disk, std::make_shared<store_steps>(), [&](const store_batch& batch) {
    return is_in_journal(batch, opened_in_journal) && !failed.exchange(true) ? fate::lost
                                                                             : fate::works;
  })};
  add_basics(
      target,
      [](const run_context& context) {
        return context.when() == first_instant ? buy(context) : std::nullopt;
      },
      3 * 60 * minute_ms);
  std::vector<topic> topics;
  for (std::size_t i = 0; i < topic_count; ++i)
    if (static_cast<topic>(i) != topic::signal) // a tick's second topic
      topics.push_back(static_cast<topic>(i));
  heard_events heard{target, topics};
  auto request = one_buyer(at_full_speed());
  request.retry_clock = at_full_speed();
  target.live().background(request).wait();
  std::set<std::string> numbered, unnumbered; // kinds of events
  for (const auto& item : heard.all()) {
    const auto* tick = std::get_if<tick_result>(&item.payload);
    const auto* problem = std::get_if<error_event>(&item.payload);
    const auto kind = std::string{tick != nullptr      ? to_string(tick->action)
                                  : problem != nullptr ? to_string(problem->code)
                                                       : to_string(item.on)};
    (item.number > 0 ? numbered : unnumbered).insert(kind);
    std::string line;
    append_event_line(line, item.number > 0 ? std::optional{item.number} : std::nullopt, item.on,
                      item);
    CHECK(line.starts_with("{\"seq\":null,") == (item.number == 0));
  }
  CHECK(fmt::format("{}", fmt::join(unnumbered, " ")) == "active idle performance store_failed");
  CHECK(fmt::format("{}", fmt::join(numbered, " ")) == "closed done_live opened partial_profit");
}

TEST_CASE(
    "lifecycle 10, callbacks: at most once: what was durable before a crash is not called again") {
  const watchdog guard;
  const test_disk disk;
  std::atomic<int> opened{0}, restored{0};
  const auto add_to = [&](runtime& target) {
    target.add_exchange(wave_exchange());
    target.add_frame(frame_of(10 * minute_ms));
    auto strategy = strategy_of("buyer");
    strategy.callbacks.on_open = [&](const tick_result&) { ++opened; };
    strategy.callbacks.on_active = [&](const tick_result&) { ++restored; };
    target.add_strategy(std::move(strategy));
  };
  {
    // Committed, but the node goes down before it knows.
    runtime target{noting(disk, std::make_shared<store_steps>(), [](const store_batch& batch) {
      return is_in_journal(batch, opened_in_journal) ? fate::kept : fate::works;
    })};
    add_to(target);
    live_telling told{target, first_instant};
    auto request = one_buyer(replay_clock());
    request.retry_clock = std::make_shared<manual_clock>(0);
    const auto handle = target.live().background(request);
    CHECK(told.wait_for(1) == "- store_failed");
  }
  CHECK(joined(journal_tellings(disk, first_instant)) == "0 opened buyer BTC");
  CHECK(opened == 0);
  runtime target{on(disk)};
  add_to(target);
  target.live().background(one_buyer(at_full_speed())).wait();
  CHECK(opened == 0);
  CHECK(restored > 0);
}

// -- what a start finds
// -------------------------------------------------------------------------------

TEST_CASE("lifecycle 10, orphans: a stored signal of a symbol that is not included is refused and "
          "listed") {
  const watchdog guard;
  const test_disk disk;
  {
    runtime target{on(disk)};
    add_basics(target);
    auto stream = target.live().run(one_buyer(at_full_speed()));
    REQUIRE(stream.next()->action == tick_action::opened);
  }
  runtime target{on(disk)};
  add_basics(target);
  auto request = one_buyer(at_full_speed());
  request.symbols = {"ETH"};
  const auto before = disk.state();
  const auto problem = failure_of([&] { target.live().background(request); });
  CHECK(problem.code == error_code::orphaned_signals);
  CHECK(problem.message.find("pending signal of buyer on BTC at exchange") != std::string::npos);
  CHECK(disk.state() == before);
}

// -- stop
// ---------------------------------------------------------------------------------------------

TEST_CASE("lifecycle 10, stop: a scheduled signal is cancelled with reason stopped, its record "
          "removed, and the run ends") {
  const watchdog guard;
  test_disk disk;
  const auto signal_key = make_store_key({signal_rows, "exchange", "buyer", "BTC"});
  runtime target{on(disk)};
  add_basics(target,
             [](const run_context& context) { return std::optional{never_reached(context)}; });
  live_telling told{target, first_instant};
  const auto clock = replay_clock();
  auto handle = target.live().background(one_buyer(clock));
  CHECK(told.wait_for(1) == "0 scheduled buyer BTC");
  CHECK(disk.content().get(store_space::state, signal_key).has_value());
  target.live().stop("BTC", "buyer");
  clock->set(first_instant + minute_ms);
  handle.wait();
  CHECK(told.so_far() == "0 scheduled buyer BTC | 1 cancelled buyer BTC stopped");
  CHECK(!disk.content().get(store_space::state, signal_key).has_value());
  CHECK(joined(journal_tellings(disk, first_instant)) ==
        "0 scheduled buyer BTC | 1 cancelled buyer BTC stopped | - done_live buyer BTC");
  CHECK(handle.summaries().front().outcome == run_outcome::stopped);
}

TEST_CASE("lifecycle 10, stop: no new signals: without one the run ends at once") {
  const watchdog guard;
  const test_disk disk;
  asked_minutes asked{first_instant};
  runtime target{on(disk)};
  add_basics(target, [&](const run_context& context) {
    asked.note(context);
    return never(context);
  });
  live_telling told{target, first_instant};
  auto handle = target.live().background(one_buyer(replay_clock()));
  told.wait_for_minute(0);
  target.live().stop("BTC", "buyer");
  handle.wait();
  CHECK(asked.so_far() == minutes_asked{0});
  CHECK(handle.summaries().front().outcome == run_outcome::stopped);
}

// -- a failing tick
// -----------------------------------------------------------------------------------

TEST_CASE(
    "lifecycle 10, failing tick: a source that throws is an error event, and the next slot is "
    "asked as if nothing had been") {
  const watchdog guard;
  const test_disk disk;
  runtime target{on(disk)};
  add_basics(target, [](const run_context& context) -> std::optional<signal_request> {
    if (context.when() < first_boundary_of_section + 15 * minute_ms)
      throw std::runtime_error("the model is down");
    return buy(context);
  });
  live_telling told{target, first_boundary_of_section};
  const auto clock = clock_before_first_boundary();
  const auto handle = target.live().background(one_buyer(clock));
  clock->wait_until_watched();
  for (std::int64_t minute = 0; minute <= 15; ++minute) {
    clock->set(settled_minute(minute));
    told.wait_for_minute(minute);
  }
  CHECK(told.wait_for(2) == "0 signal_source_failed buyer BTC | 15 opened buyer BTC");
  CHECK(!handle.finished());
}

// -- operators
// ----------------------------------------------------------------------------------------

TEST_CASE("lifecycle 10, operator: a scheduled signal is cancelled with reason user, durable and "
          "journalled") {
  const watchdog guard;
  test_disk disk;
  auto options = on(disk);
  options.parameters.schedule_await_minutes = 100'000;
  runtime target{std::move(options)};
  add_basics(
      target,
      [](const run_context& context) -> std::optional<signal_request> {
        if (context.when() != first_instant)
          return std::nullopt;
        return never_reached(context);
      },
      30 * day_ms);
  live_telling told{target, first_instant};
  const auto clock = replay_clock();
  const auto handle = target.live().background(one_buyer(clock));
  CHECK(told.wait_for(1) == "0 scheduled buyer BTC");
  command(target, *clock, operator_command::cancel);
  const auto journal = journal_tellings(disk, first_instant);
  REQUIRE(journal.size() == 3);
  CHECK(journal[1].ends_with(" cancel buyer BTC"));
  CHECK(journal[2].ends_with(" cancelled buyer BTC user"));
  CHECK(!disk.content()
             .get(store_space::state, make_store_key({signal_rows, "exchange", "buyer", "BTC"}))
             .has_value());
}

TEST_CASE(
    "lifecycle 10, operator: a pause is durable: after a restart nothing is generated until it "
    "is resumed") {
  const watchdog guard;
  test_disk disk;
  asked_minutes asked{first_instant};
  const auto add_to = [&](runtime& target) {
    add_basics(
        target,
        [&](const run_context& context) {
          asked.note(context);
          return never(context);
        },
        30 * day_ms);
  };
  {
    runtime target{on(disk)};
    add_to(target);
    const auto clock = replay_clock();
    const auto handle = target.live().background(one_buyer(clock));
    command(target, *clock, operator_command::pause);
  }
  CHECK(only_run_on(disk).memory.paused);
  const auto asked_before = asked.so_far().size();
  runtime target{on(disk)};
  add_to(target);
  live_telling told{target, first_instant};
  const auto last = (only_run_on(disk).memory.last_instant - first_instant) / minute_ms;
  const auto clock = std::make_shared<manual_clock>(first_instant + (last + 60) * minute_ms, true);
  const auto handle = target.live().background(one_buyer(clock));
  told.wait_for_minute(last + 60);
  CHECK(asked.so_far().size() == asked_before);
  command(target, *clock, operator_command::resume);
  const auto resumed = (clock->now() - first_instant) / minute_ms;
  clock->set(clock->now() + 60 * minute_ms);
  told.wait_for_minute(resumed + 60);
  CHECK(asked.so_far().size() > asked_before);
  std::string commands;
  for (const auto& line : journal_tellings(disk, first_instant))
    commands += line.substr(line.find(' '));
  CHECK(commands == " pause buyer BTC resume buyer BTC");
}

TEST_CASE("lifecycle 10, operator: a pending signal is closed at the current price, reason user") {
  const watchdog guard;
  const test_disk disk;
  runtime target{on(disk)};
  add_basics(target, only_at(0, first_instant, 1440), 30 * day_ms);
  live_telling told{target, first_instant};
  heard_events heard{target, {topic::signal_live}};
  const auto clock = replay_clock();
  const auto handle = target.live().background(one_buyer(clock));
  CHECK(told.wait_for(1) == "0 opened buyer BTC");
  command(target, *clock, operator_command::close);
  const auto journal = journal_tellings(disk, first_instant);
  std::vector<std::string> last(journal.end() - 2, journal.end());
  CHECK(last[0].ends_with(" close buyer BTC"));
  CHECK(last[1].ends_with(" closed buyer BTC user"));
  double average = 0;
  for (const auto& tick : heard.of<tick_result>())
    if (tick.action == tick_action::closed) {
      // The mean of the five candles before it.
      for (int back = 1; back <= 5; ++back)
        average += wave_price(tick.timestamp - back * minute_ms) / 5;
      CHECK(tick.current_price == doctest::Approx(average));
    }
  CHECK(average > 0);
}
