#include "tests/support/walker_fixture.hpp"

#include "messages/event_json.hpp"

#include <set>

using namespace backtest;
using namespace backtest::testing;

namespace {

using names = std::vector<std::string>;

/// Everything a walk tells, all ticks included.
const std::vector<topic> topics_of_a_walk{
    topic::signal,          topic::signal_backtest, topic::progress_walker, topic::walker,
    topic::walker_complete, topic::done_walker,     topic::error,           topic::exit};

/// Names of whoever asked.
class roll_call {
public:
  void answer(const std::string& name) {
    const std::lock_guard lock{mutex_};
    if (present_.insert(name).second)
      changed_.notify_all();
  }
  void wait_for(std::size_t count) {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [&] { return present_.size() >= count; });
  }
  std::set<std::string> present() const {
    const std::lock_guard lock{mutex_};
    return present_;
  }

private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::set<std::string> present_;
};

strategy_schema present_strategy(const std::string& name, roll_call& present) {
  return strategy_of(name, [name, &present](const run_context& context) {
    present.answer(name);
    return buy(context);
  });
}

/// Blocks at its first instant until it is let go.
strategy_schema held_strategy(const std::string& name, gate& held) {
  return strategy_of(name, [&held](const run_context& context) {
    held.pass();
    return buy(context);
  });
}

} // namespace

TEST_CASE("walker ahead: a later strategy works while an earlier one does") {
  const watchdog guard{};
  roll_call present;
  runtime target{quiet(2)};
  add_basics(target);
  target.add_strategy(strategy_of("first", [&](const run_context& context) {
    present.wait_for(1); // for ever, if they took turns
    return buy(context);
  }));
  target.add_strategy(present_strategy("second", present));
  target.add_walker(walker_of({"first", "second"}));
  target.walker().background("BTC", "compare").wait();
  CHECK(target.walker().get_data("BTC", "compare").strategies_tested == 2);
}

TEST_CASE("walker ahead: what is done before its turn waits, and only so many of them") {
  const watchdog guard{};
  roll_call present;
  gate held;
  runtime target{quiet(2)};
  add_basics(target);
  names strategies{"held"};
  target.add_strategy(held_strategy("held", held));
  for (int i = 1; i < 12; ++i) {
    strategies.push_back(fmt::format("s{}", i));
    target.add_strategy(present_strategy(strategies.back(), present));
  }
  target.add_walker(walker_of(strategies));
  auto walk = target.walker().background("BTC", "compare");
  held.wait_for_arrival();
  present.wait_for(7); // four for each thread are under way
  CHECK(present.present() == std::set<std::string>{"s1", "s2", "s3", "s4", "s5", "s6", "s7"});
  held.open();
  walk.wait();
  CHECK(present.present().size() == 11);
  CHECK(walk.data().strategies_tested == 12);
}

TEST_CASE("walker ahead: nobody hears of a strategy before its turn") {
  const watchdog guard{};
  roll_call present;
  gate held;
  runtime target{quiet(2)};
  add_basics(target);
  target.add_strategy(held_strategy("held", held));
  target.add_strategy(present_strategy("later", present));
  auto schema = walker_of({"held", "later"});
  names called;
  schema.callbacks.on_strategy_start = [&](const auto& strategy, const auto&) {
    called.push_back(strategy);
  };
  target.add_walker(schema);
  heard_events heard{target, topics_of_a_walk};
  auto walk = target.walker().background("BTC", "compare");
  held.wait_for_arrival();
  present.wait_for(1);
  CHECK(called == names{"held"});
  CHECK(heard.all().empty());
  CHECK(target.backtest().status("BTC", "later").state == run_state::ready);
  REQUIRE(target.backtest().list().size() == 1);
  target.backtest().stop("BTC", "later"); // not begun, as far as anybody knows
  held.open();
  walk.wait();
  CHECK(called == names{"held", "later"});
  CHECK(walk.data().strategies_tested == 2);
  CHECK(target.backtest().list().size() == 2);
  std::string last;
  for (const auto& tick : heard.of<tick_result>()) {
    CHECK_FALSE((last == "later" && tick.run->strategy_name == "held"));
    last = tick.run->strategy_name;
  }
}

TEST_CASE("walker ahead: a stop leaves nothing of strategies whose turn had not come") {
  const watchdog guard{};
  for (const bool by_handle : {false, true}) {
    CAPTURE(by_handle);
    roll_call present;
    gate held;
    runtime target{quiet(2)};
    add_basics(target);
    target.add_strategy(held_strategy("held", held));
    target.add_strategy(present_strategy("done", present));
    target.add_strategy(present_strategy("busy", present));
    target.add_walker(walker_of({"held", "done", "busy"}));
    heard_events heard{target, topics_of_a_walk};
    auto walk = target.walker().background("BTC", "compare");
    held.wait_for_arrival();
    present.wait_for(2); // `done` came to its end before `busy` began
    if (by_handle)
      walk.cancel();
    else
      target.walker().stop("BTC", "compare");
    held.open();
    walk.wait();
    for (const auto& tick : heard.of<tick_result>())
      CHECK(tick.run->strategy_name == "held");
    CHECK(ranking_of(walk.data()) == names{"held partial"});
    CHECK(walk.data().stopped);
    for (const auto* name : {"done", "busy"}) {
      CHECK(target.backtest().status("BTC", name).state == run_state::ready);
      CHECK(target.backtest().get_data("BTC", name).statistics.total_signals == 0);
      CHECK(run_to_end(target, request_of({"BTC"}, {name})).outcome == run_outcome::completed);
    }
    walk = target.walker().background("BTC", "compare");
    walk.wait();
    CHECK(walk.data().strategies_tested == 3);
  }
}

TEST_CASE("walker ahead: all events, the report and the best are those of taking turns") {
  const watchdog guard{};
  struct comparison {
    names strategies;
    std::string metric;
    std::optional<std::string> best;
  };
  // Long, failing, equal and silent ones; more ticks than may wait for their turn.
  const std::vector<comparison> comparisons{
      {{"low", "broken", "twin", "silent", "buyer", "middle"}, "total_pnl", "twin"},
      {{"middle", "twin"}, "total_pnl", "middle"},
      {{"silent", "mute", "broken"}, "sharpe_ratio", std::nullopt},
      {{"broken"}, "win_rate", std::nullopt}};
  for (const auto& compared : comparisons) {
    std::string first;
    for (const std::size_t threads : {1U, 2U, 4U}) {
      if (is_sanitized && threads == 2)
        continue;
      CAPTURE(threads);
      runtime target{quiet(threads)};
      add_rivals(target, 14 * day_ms);
      target.add_strategy(failing_strategy());
      target.add_strategy(strategy_of("mute", never));
      target.add_walker(walker_of(compared.strategies, compared.metric));
      heard_events heard{target, topics_of_a_walk};
      auto walk = target.walker().background("BTC", "compare");
      walk.wait();
      CHECK(walk.data().best_strategy == compared.best);
      const auto text = text_of(heard.all()) + target.walker().get_report("BTC", "compare");
      if (first.empty())
        first = text;
      CHECK(first.size() > 500);
      CHECK(text == first);
    }
  }
}

TEST_CASE("walker ahead: a stream goes no further than it is asked") {
  const watchdog guard{};
  roll_call present;
  runtime target{quiet(4)};
  add_basics(target);
  target.add_strategy(present_strategy("first", present));
  target.add_strategy(present_strategy("second", present));
  target.add_walker(walker_of({"first", "second"}));
  auto stream = target.walker().run("BTC", "compare");
  REQUIRE(stream.next());
  CHECK(present.present() == std::set<std::string>{"first"});
  REQUIRE(stream.next());
  CHECK_FALSE(stream.next());
}
