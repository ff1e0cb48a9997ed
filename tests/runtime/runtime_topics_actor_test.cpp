#include "tests/support/runtime_fixture.hpp"

#include <algorithm>

using namespace backtest;
using namespace backtest::testing;

namespace {

const std::vector<topic> all_topics{
    topic::signal,         topic::signal_backtest, topic::error,        topic::exit,
    topic::done_backtest,  topic::performance,     topic::validation,   topic::progress_backtest,
    topic::partial_profit, topic::partial_loss,    topic::risk};

std::size_t on(const std::vector<event>& events, topic wanted) {
  return static_cast<std::size_t>(
      std::count_if(events.begin(), events.end(), [&](const event& x) { return x.on == wanted; }));
}

} // namespace

TEST_CASE("listen: every topic a backtest can emit") {
  const watchdog guard{};
  runtime target{quiet()};
  add_basics(target);
  risk_schema risk;
  risk.risk_name = "moody";
  risk.validations.push_back({[](const risk_question& question) -> std::optional<std::string> {
                                if (question.timestamp % (4 * (60 * minute_ms)) == 0)
                                  throw std::runtime_error("moody");
                                return std::nullopt;
                              },
                              ""});
  target.add_risk(risk);
  target.override_strategy("buyer", [](strategy_schema& s) {
    s.risk_name = "moody";
    s.callbacks.on_open = [](const tick_result&) { throw std::runtime_error("from on_open"); };
  });
  heard_events heard{target, all_topics};
  CHECK(run_to_end(target).outcome == run_outcome::completed);
  const auto events = heard.all();
  for (const auto wanted : all_topics) {
    CAPTURE(to_string(wanted));
    CHECK((on(events, wanted) > 0) == (wanted != topic::exit));
  }
  CHECK(on(events, topic::signal) == on(events, topic::signal_backtest));
  CHECK(events.back().on == topic::done_backtest);
  CHECK(on(events, topic::done_backtest) == 1);
  CHECK(on(events, topic::validation) <= on(events, topic::risk));
  for (std::size_t i = 0; i < events.size(); ++i)
    if (events[i].on == topic::validation)
      CHECK(events[i + 1].on == topic::risk); // the rejection it led to
  CHECK(heard.count(error_code::callback_failed) > 0);
}

TEST_CASE("listen: the first and the last progress always, at most about a thousand in between") {
  const watchdog guard{};
  for (const instant length : {instant{0}, 10 * minute_ms, day_ms, 20 * day_ms}) {
    CAPTURE(length);
    runtime target{quiet()};
    add_basics(target, never, length);
    heard_events heard{target, {topic::progress_backtest}};
    run_to_end(target);
    const auto told = heard.of<progress_backtest>();
    REQUIRE(told.size() >= 2);
    CHECK(told.size() <= 1002);
    const auto total = length / minute_ms + 1;
    CHECK(told.front().processed_frames == 0);
    CHECK(told.front().progress == 0);
    CHECK(told.back().processed_frames == total);
    CHECK(told.back().progress == 1);
    if (length == 20 * day_ms)
      CHECK(told.size() > 900);
    for (std::size_t i = 1; i < told.size(); ++i) {
      CHECK(told[i].processed_frames > told[i - 1].processed_frames);
      CHECK(told[i].total_frames == total);
    }
  }
}

TEST_CASE("listen_once: in order, gone before its callback runs, a throwing predicate is no match") {
  const watchdog guard{};
  runtime target{quiet()};
  add_basics(target);
  heard_events errors{target, {topic::error}};
  std::vector<instant> asked;
  tally called;
  target.listen_once(
      {{topic::signal_backtest}, {tick_action::closed}, {}, {}},
      [&](const event& item) {
        asked.push_back(std::get<tick_result>(item.payload).timestamp);
        if (asked.size() == 1)
          throw std::runtime_error("undecided");
        return asked.size() == 3;
      },
      [&](const event&) {
        called.add();
        throw std::runtime_error("even so once");
      });
  CHECK(run_to_end(target).counters.closed > 5);
  target.flush();
  target.flush(); // what the listener complained of
  CHECK(called.count() == 1);
  CHECK(asked.size() == 3);
  CHECK(std::is_sorted(asked.begin(), asked.end()));
  CHECK(errors.count(error_code::listener_failed) == 2);
}

TEST_CASE("unsubscribe: idempotent, and no callback begins after it") {
  const watchdog guard{};
  runtime target{quiet()};
  add_basics(target);
  gate held;
  tally called;
  auto handle = target.listen_signal([&](const tick_result&) {
    called.add();
    held.pass();
  });
  auto run = target.backtest().background(request_of());
  held.wait_for_arrival();
  auto copy = handle;
  handle.unsubscribe();
  copy.unsubscribe();
  handle.unsubscribe();
  run.wait();
  target.flush(); // does not wait for it
  held.open();
  run_to_end(target);
  CHECK(called.count() == 1);
  listener_handle{}.unsubscribe();
}

TEST_CASE("unsubscribe: cancels listen_once, also while its predicate runs and from its own thread") {
  const watchdog guard{};
  runtime target{quiet()};
  add_basics(target);
  gate held;
  bool called = false;
  auto handle = target.listen_once({{topic::signal_backtest}, {}, {}, {}},
                                   [&](const event&) {
                                     held.pass();
                                     return true;
                                   },
                                   [&](const event&) { called = true; });
  auto run = target.backtest().background(request_of());
  held.wait_for_arrival();
  handle.unsubscribe();
  held.open();
  run.wait();
  tally own;
  listener_handle self;
  std::mutex mutex;
  {
    const std::lock_guard lock{mutex};
    self = target.listen_signal([&](const tick_result&) {
      own.add();
      const std::lock_guard inner{mutex};
      self.unsubscribe();
    });
  }
  run_to_end(target);
  target.flush();
  CHECK(own.count() == 1);
  CHECK(!called);
}

TEST_CASE("listen: one that throws is reported and goes on, the others and the run notice nothing") {
  const watchdog guard{};
  auto options = quiet();
  const auto log = std::make_shared<kept_log>();
  options.log = log;
  runtime target{options};
  add_basics(target);
  heard_events errors{target, {topic::error}}, closes{target, {topic::signal_backtest}};
  tally thrown, from_error;
  target.listen({{topic::signal_backtest}, {tick_action::closed}, {}, {}}, [&](const event&) {
    if (thrown.add() % 2 == 0)
      throw std::runtime_error("listener's own");
    throw 7;
  });
  const auto on_error = [&](const error_event&) {
    from_error.add();
    throw std::runtime_error("from the error topic");
  };
  target.listen_error(on_error);
  const auto summary = run_to_end(target);
  CHECK(summary.outcome == run_outcome::completed);
  for (int i = 0; i < 3; ++i)
    target.flush(); // complaints are published after the events they speak of
  CHECK(thrown.count() == summary.counters.closed);
  CHECK(errors.count(error_code::listener_failed) ==
        static_cast<std::size_t>(summary.counters.closed));
  CHECK(from_error.count() == summary.counters.closed); // no complaint about its own failures
  CHECK(log->has("from the error topic"));
  CHECK(errors.of<error_event>().front().message.find("a listener of signal_backtest threw") == 0);
}

TEST_CASE("listen: a slow listener holds nobody else up") {
  const watchdog guard{};
  runtime target{quiet()};
  add_basics(target);
  gate held;
  std::vector<instant> slow;
  target.listen({{topic::signal_backtest}, {tick_action::opened, tick_action::closed}, {}, {}},
                [&](const event& item) {
                  held.pass();
                  slow.push_back(std::get<tick_result>(item.payload).timestamp);
                });
  std::vector<instant> quick;
  tally done;
  target.listen({{topic::signal_backtest, topic::done_backtest},
                 {tick_action::opened, tick_action::closed},
                 {},
                 {}},
                [&](const event& item) {
                  if (const auto* tick = std::get_if<tick_result>(&item.payload))
                    quick.push_back(tick->timestamp);
                  else
                    done.add();
                });
  CHECK(run_to_end(target).outcome == run_outcome::completed); // while the slow one is held
  done.wait_for(1);
  CHECK(slow.empty());
  CHECK(quick.size() > 10);
  held.open();
  target.flush();
  CHECK(slow == quick);
}

TEST_CASE("listen: a backlog past 10,000 events holds a backtest back until it is worked off") {
  const watchdog guard{};
  runtime target{quiet()};
  add_basics(target, never, 30 * day_ms);
  gate held;
  tally slow, quick;
  const subscription idle{{topic::signal_backtest}, {tick_action::idle}, {}, {}};
  target.listen(idle, [&](const event&) {
    if (slow.add() == 1)
      held.pass();
  });
  target.listen(idle, [&](const event&) { quick.add(); });
  auto run = target.backtest().background(request_of());
  quick.wait_for(10'001);
  CHECK(!run.finished());
  CHECK(slow.count() == 1);
  CHECK(quick.count() < 30'000);
  held.open();
  run.wait();
  target.flush();
  // The candles of the first minute of the frame's first day have no gap before them.
  CHECK(slow.count() == 30 * 1440 + 1);
  CHECK(quick.count() == slow.count());
}

TEST_CASE("listen: subscriptions filter by action, symbol and strategy") {
  const watchdog guard{};
  runtime target{quiet()};
  add_basics(target);
  target.add_strategy(strategy_of("other"));
  std::vector<tick_result> heard;
  target.listen({{topic::signal_backtest}, {tick_action::opened}, {"ETH"}, {"other"}},
                [&](const event& item) { heard.push_back(std::get<tick_result>(item.payload)); });
  auto run = target.backtest().background(request_of({"BTC", "ETH"}, {"buyer", "other"}));
  run.wait();
  target.flush();
  CHECK(heard.size() > 5);
  for (const auto& tick : heard) {
    CHECK(tick.action == tick_action::opened);
    CHECK(tick.run->symbol == "ETH");
    CHECK(tick.run->strategy_name == "other");
  }
}

TEST_CASE("listen: a subscription during a run says from which instant it tells") {
  const watchdog guard{};
  runtime target{quiet()};
  gate held;
  add_basics(target, [&](const run_context& context) {
    if (context.when() == first_instant + (60 * minute_ms))
      held.pass();
    return never(context);
  }, 40 * day_ms);
  auto run = target.backtest().background(request_of());
  held.wait_for_arrival();
  std::vector<instant> told;
  auto handle = target.listen({{topic::signal_backtest}, {tick_action::idle}, {}, {}},
                              [&](const event& item) {
                                told.push_back(std::get<tick_result>(item.payload).timestamp);
                              });
  held.open();
  run.wait();
  target.flush();
  REQUIRE(handle.effective().size() == 1);
  CHECK(handle.effective().front().run.symbol == "BTC");
  REQUIRE(!told.empty());
  CHECK(told.front() == handle.effective().front().from);
  CHECK(told.back() == first_instant + 40 * day_ms);
}

TEST_CASE("listen: reports have seen what a stream or a done listener tells") {
  const watchdog guard{};
  runtime target{quiet()};
  add_basics(target);
  auto stream = target.backtest().run(request_of());
  std::size_t closed = 0;
  while (const auto element = stream.next()) {
    if (element->action != tick_action::closed)
      continue;
    ++closed;
    const auto data = target.backtest().get_data("BTC", "buyer");
    REQUIRE(data.signal_list.size() >= closed);
    CHECK(data.signal_list.front().timestamp == element->timestamp);
  }
  CHECK(closed > 5);
  std::size_t at_done = 0;
  tally heard;
  target.listen_done_backtest([&](const done_event&) {
    at_done = target.backtest().get_data("BTC", "buyer").signal_list.size();
    heard.add();
  });
  const auto summary = run_to_end(target);
  heard.wait_for(1);
  CHECK(at_done == static_cast<std::size_t>(summary.counters.closed));
}
