// Ways in which a strategy could see the future, tried by each kind of signal source in both modes.

#include "messages/event_json.hpp"
#include "tests/support/hosted_runtime.hpp"
#include "tests/support/live_fixture.hpp"

#include <array>
#include <cmath>
#include <map>
#include <set>

#include <fmt/format.h>

using namespace backtest;
using namespace backtest::testing;

namespace {

constexpr std::array every_interval{interval::m1,  interval::m3, interval::m5,  interval::m15,
                                    interval::m30, interval::h1, interval::h2,  interval::h4,
                                    interval::h6,  interval::h8, interval::h12, interval::d1};

/// What was found, one line for each kind of finding; from any thread.
class findings {
public:
  void add(const std::string& line) {
    const std::lock_guard lock{mutex_};
    ++lines_[line];
  }
  int count(const std::string& line) const {
    const std::lock_guard lock{mutex_};
    const auto found = lines_.find(line);
    return found == lines_.end() ? 0 : found->second;
  }
  std::set<std::string> kinds() const {
    const std::lock_guard lock{mutex_};
    std::set<std::string> kinds;
    for (const auto& [line, count] : lines_)
      kinds.insert(line);
    return kinds;
  }

private:
  mutable std::mutex mutex_;
  std::map<std::string, int> lines_;
};

bool is_unknown(const candle& read) {
  return read.open_time < 0 && std::isnan(read.open) && std::isnan(read.high) &&
         std::isnan(read.low) && std::isnan(read.close) && std::isnan(read.volume);
}

/// Reads on behind the newest candle.
void look_behind(std::span<const candle> given, interval size, instant when, findings& found) {
  const bool is_newest =
      given.back().open_time == align_down(when, length_of(size)) - length_of(size);
  found.add(is_newest ? "the newest closed candle" : "another candle");
  for (std::size_t further = 0; further < 1000; ++further)
    if (!is_unknown(given.data()[given.size() + further]))
      return found.add("something behind it");
  found.add("nothing behind it");
}

std::optional<signal_request> look_everywhere(const run_context& context, findings& found) {
  for (const auto size : every_interval)
    for (const auto& symbol : {std::string{"BTC"}, std::string{"ETH"}})
      look_behind(context.candles(symbol, size, 1), size, context.when(), found);
  return std::nullopt;
}

/// Asks its market for what is known and for what is not, and the market of an earlier question.
struct curious_source_state {
  self_pointer<signal_source_actor, curious_source_state> self = nullptr;
  std::shared_ptr<findings> found;
  market_actor earlier;
  std::size_t missing = 0; ///< answers
  response_promise<generated_signal> promise;

  void init(std::shared_ptr<findings> shared) { found = std::move(shared); }

  signal_source_actor::behavior_type make_behavior() {
    return {[this](const generate_signal& message) -> caf::result<generated_signal> {
      promise = promise_answer<generated_signal>(self);
      for (const auto size : every_interval)
        for (const auto* symbol : {"BTC", "ETH"}) {
          ask(message.market, {symbol, size, 1, message.when},
              [this, size, when = message.when](const candle_list& list) {
                if (list.problem)
                  return found->add(list.problem->message);
                look_behind(list.candles, size, when, *found);
              });
          for (const auto ahead : {instant{1}, minute_ms, 3 * day_ms})
            ask(message.market, {symbol, size, 1, message.when + ahead},
                [this](const candle_list& list) {
                  found->add(list.candles.empty() && list.problem &&
                                     list.problem->code == error_code::invalid_argument &&
                                     list.problem->message.find("is not behind") !=
                                         std::string::npos
                                 ? "refused"
                                 : "an answer from the future");
                });
        }
      if (earlier)
        ask(earlier, {"BTC", interval::m1, 1, message.when},
            [this](const candle_list&) { found->add("an earlier question's market answers"); });
      earlier = message.market;
      return promise;
    }};
  }

  template <class Answer>
  void ask(const market_actor& market, ask_candles question, Answer answer) {
    ++missing;
    request(self, market, caf::infinite, std::move(question))
        .then(
            [this, answer](const candle_list& list) {
              answer(list);
              came();
            },
            [this](const caf::error&) {
              found->add("that question is over");
              came();
            });
  }

  void came() {
    if (--missing == 0)
      promise.deliver(generated_signal{});
  }
};

/// "watcher" looks on BTC and ETH for a quarter of a day, asked every quarter of an hour; 50 times.
void run_watcher(runtime& target, run_mode mode) {
  if (mode == run_mode::backtest) {
    auto run = target.backtest().background(request_of({"BTC", "ETH"}, {"watcher"}));
    run.wait();
    for (const auto& summary : run.summaries())
      CHECK(summary.outcome == run_outcome::completed);
    return;
  }
  live_request request;
  request.symbols = {"BTC", "ETH"};
  request.strategies = {"watcher"};
  request.exchange = "exchange";
  request.frame = "frame";
  request.clock = at_full_speed();
  auto run = target.live().background(request);
  run.wait();
  for (const auto& summary : run.summaries())
    CHECK(summary.outcome == run_outcome::completed);
}

} // namespace

TEST_CASE("look-ahead: behind the newest candle that a function is given there is nothing") {
  const watchdog guard;
  const auto kind = every_host();
  for (const auto mode : {run_mode::backtest, run_mode::live})
    for (const bool blocking : {false, true}) {
      CAPTURE(blocking);
      const auto found = std::make_shared<findings>();
      const test_disk disk;
      hosted_runtime hosted{kind, on(disk)};
      runtime& target = *hosted;
      target.add_exchange(wave_exchange());
      target.add_frame(frame_of(day_ms / 4));
      auto watcher = strategy_of("watcher", [found](const run_context& context) {
        return look_everywhere(context, *found);
      });
      watcher.blocking = blocking;
      target.add_strategy(std::move(watcher));
      run_watcher(target, mode);
      CHECK(found->kinds() ==
            std::set<std::string>{"the newest closed candle", "nothing behind it"});
      CHECK(found->count("nothing behind it") == 2 * 25 * 24);
    }
}

TEST_CASE("look-ahead: a source that is an actor is answered up to the instant of its question") {
  const watchdog guard;
  const auto kind = every_host();
  for (const auto mode : {run_mode::backtest, run_mode::live}) {
    const auto found = std::make_shared<findings>();
    const test_disk disk;
    hosted_runtime hosted{kind, on(disk)};
    runtime& target = *hosted;
    target.add_exchange(wave_exchange());
    target.add_frame(frame_of(day_ms / 4));
    const auto source =
        spawn_actor<curious_source_state, signal_source_actor>(target.system(), nullptr, found);
    target.add_strategy(strategy_of("watcher", {}), source);
    // Two runs would let the source answer two questions at once.
    auto run = [&] {
      if (mode == run_mode::backtest)
        return target.backtest().background(request_of({"BTC"}, {"watcher"}));
      live_request request;
      request.symbols = {"BTC"};
      request.strategies = {"watcher"};
      request.exchange = "exchange";
      request.frame = "frame";
      request.clock = at_full_speed();
      return target.live().background(request);
    }();
    run.wait();
    end_actor(source);
    CHECK(run.summaries().front().outcome == run_outcome::completed);
    CHECK(found->kinds() == std::set<std::string>{"the newest closed candle", "nothing behind it",
                                                  "refused", "that question is over"});
    CHECK(found->count("nothing behind it") == 25 * 24);
    CHECK(found->count("refused") == 3 * 25 * 24);
    CHECK(found->count("that question is over") == 24);
  }
}

namespace {

/// Does not answer its first question in time, and asks the market of that one during the next.
struct late_source_state {
  self_pointer<signal_source_actor, late_source_state> self = nullptr;
  std::shared_ptr<findings> found;
  market_actor first_market;
  response_promise<generated_signal> first_promise, promise;

  void init(std::shared_ptr<findings> shared) { found = std::move(shared); }

  signal_source_actor::behavior_type make_behavior() {
    return {[this](const generate_signal& message) -> caf::result<generated_signal> {
      if (!first_market) {
        first_market = message.market;
        first_promise = promise_answer<generated_signal>(self);
        return first_promise;
      }
      promise = promise_answer<generated_signal>(self);
      const auto over = [this](const char* what) {
        found->add(what);
        promise.deliver(generated_signal{});
      };
      request(self, first_market, caf::infinite, ask_candles{"BTC", interval::m1, 1, first_instant})
          .then([over](const candle_list&) { over("a market outlives its question"); },
                [over](const caf::error&) { over("that question is over"); });
      return promise;
    }};
  }
};

} // namespace

TEST_CASE("look-ahead: the market of a question that was not answered in time is gone with it") {
  const watchdog guard;
  const auto found = std::make_shared<findings>();
  const test_disk disk;
  auto options = on(disk);
  options.parameters.max_signal_generation_seconds = 1;
  runtime target{options};
  target.add_exchange(wave_exchange());
  target.add_frame(frame_of(hour_ms));
  const auto source =
      spawn_actor<late_source_state, signal_source_actor>(target.system(), nullptr, found);
  target.add_strategy(strategy_of("watcher", {}), source);
  heard_events heard{target, {topic::error}};
  live_request request;
  request.symbols = {"BTC"};
  request.strategies = {"watcher"};
  request.exchange = "exchange";
  request.frame = "frame";
  request.clock = at_full_speed(); // a backtest fails when an answer is late
  auto run = target.live().background(request);
  run.wait();
  end_actor(source);
  CHECK(run.summaries().front().outcome == run_outcome::completed);
  CHECK(found->kinds() == std::set<std::string>{"that question is over"});
  CHECK(found->count("that question is over") == 4);
  const auto errors = heard.all();
  REQUIRE(errors.size() == 1);
  CHECK(std::get<error_event>(errors.front().payload).code == error_code::signal_timeout);
}

namespace {

/// What strategies could pass on to each other: the latest instant any of them was asked at.
struct shared_memory {
  std::atomic<instant> latest{0};
  std::atomic<int> seen_ahead{0};
  std::atomic<int> asked{0};

  void note(instant when) {
    ++asked;
    if (latest > when)
      ++seen_ahead;
    for (auto known = latest.load(); known < when && !latest.compare_exchange_weak(known, when);) {
    }
  }
};

/// Event lines of two strategies on three symbols, and what they could see of each other's future.
std::vector<std::string> run_together(run_mode mode, bool lockstep, bool shares_profile,
                                      host_kind kind, shared_memory& memory) {
  const test_disk disk;
  hosted_runtime hosted{kind, on(disk)};
  runtime& target = *hosted;
  target.add_exchange(wave_exchange());
  target.add_frame(frame_of(day_ms));
  risk_schema one_at_a_time;
  one_at_a_time.risk_name = "one";
  one_at_a_time.validations.push_back(
      {[](const risk_question& question) -> std::optional<std::string> {
         return question.active_positions.empty() ? std::nullopt
                                                  : std::optional<std::string>{"one is open"};
       },
       ""});
  target.add_risk(std::move(one_at_a_time));
  for (const auto* name : {"first", "second"}) {
    auto strategy = strategy_of(name, [&memory](const run_context& context) {
      memory.note(context.when());
      const bool may_buy =
          context.strategy_name() == "first" || context.when() % (180 * minute_ms) == 0;
      return may_buy ? buy(context) : std::nullopt;
    });
    strategy.size = interval::m1;
    if (shares_profile)
      strategy.risk_name = "one";
    target.add_strategy(std::move(strategy));
  }
  heard_events heard{target, {topic::signal_backtest, topic::signal_live, topic::risk}};
  if (mode == run_mode::backtest) {
    auto request = request_of({"BTC", "ETH", "SOL"}, {"first", "second"});
    request.lockstep = lockstep;
    target.backtest().background(request).wait();
  } else {
    live_request request;
    request.symbols = {"BTC", "ETH", "SOL"};
    request.strategies = {"first", "second"};
    request.exchange = "exchange";
    request.frame = "frame";
    request.clock = at_full_speed();
    request.lockstep = lockstep;
    target.live().background(request).wait();
  }
  std::vector<std::string> lines;
  for (const auto& item : heard.all())
    append_event_line(lines.emplace_back(), std::nullopt, item.on, item);
  return lines;
}

} // namespace

TEST_CASE("look-ahead: in lockstep strategies that share something see nothing of a run that is "
          "ahead, and all else is the same") {
  const watchdog guard;
  const auto kind = every_host();
  for (const auto mode : {run_mode::backtest, run_mode::live})
    for (const bool shares_profile : {false, true}) {
      CAPTURE(to_string(mode));
      CAPTURE(shares_profile);
      shared_memory freely;
      const auto expected = run_together(mode, false, shares_profile, {}, freely);
      CHECK(expected.size() > 20);
      if (!shares_profile)
        CHECK(freely.seen_ahead > 0); // which is what this is about
      shared_memory in_step;
      CHECK(run_together(mode, true, shares_profile, kind, in_step) == expected);
      CHECK(in_step.seen_ahead == 0);
      CHECK(in_step.asked == freely.asked);
    }
}

TEST_CASE("look-ahead: a run in lockstep can be stopped, streamed and left") {
  const watchdog guard;
  runtime target{quiet(1)};
  add_basics(target);
  auto second = strategy_of("second");
  target.add_strategy(std::move(second));
  auto request = request_of({"BTC", "ETH"}, {"buyer", "second"});
  request.lockstep = true;
  std::size_t elements = 0;
  {
    auto stream = target.backtest().run(request);
    while (stream.next())
      ++elements;
  }
  CHECK(elements > 20);
  {
    auto stream = target.backtest().run(request);
    CHECK(stream.next().has_value());
  }
  auto run = target.backtest().background(request);
  target.backtest().stop("BTC", "buyer");
  run.cancel();
  run.wait();
  for (const auto& summary : run.summaries())
    CHECK(summary.outcome != run_outcome::failed);
}
