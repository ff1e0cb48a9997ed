#include "tests/support/walker_fixture.hpp"

#include "messages/event_json.hpp"
#include "messages/statistics_json.hpp"
#include "tests/support/scratch_directory.hpp"

#include <algorithm>

using namespace backtest;
using namespace backtest::testing;

namespace {

using names = std::vector<std::string>;

const std::vector<topic> walker_topics{topic::progress_walker, topic::walker,
                                       topic::walker_complete, topic::done_walker,
                                       topic::error,           topic::exit};

names topics_of(const std::vector<event>& events) {
  names found;
  for (const auto& item : events)
    found.emplace_back(to_string(item.on));
  return found;
}

} // namespace

TEST_CASE("walker: strategies are judged in their order, and the best wins") {
  const watchdog guard{};
  runtime target{quiet()};
  add_rivals(target);
  target.add_walker(walker_of({"low", "middle", "buyer"}));
  heard_events heard{target, walker_topics};
  heard_events finished{target, {topic::done_backtest}};
  auto walk = target.walker().background("BTC", "compare");
  walk.wait();
  CHECK(walk.finished());
  CHECK(walk.status().state == run_state::fulfilled);
  const auto events = heard.all();
  CHECK(topics_of(events) == names{"progress_walker", "walker", "progress_walker", "walker",
                                   "progress_walker", "walker", "walker_complete", "done_walker"});
  const auto results = heard.of<walker_event>();
  REQUIRE(results.size() == 3);
  CHECK(results[0].run->strategy_name == "low");
  CHECK(results[0].best_strategy == "low");
  CHECK(results[1].best_strategy == "middle");
  CHECK(results[2].best_strategy == "middle");
  CHECK(results[2].run->frame_name == "frame");
  CHECK(results[2].strategies_tested == 3);
  CHECK(results[2].total_strategies == 3);
  for (const auto& result : results) {
    CHECK(result.metric_value == result.statistics->total_pnl);
    CHECK_FALSE(result.partial);
  }
  CHECK(heard.of<progress_walker>()[1].progress == doctest::Approx(2.0 / 3));
  const auto complete = heard.of<walker_complete>().front();
  CHECK(complete.run->strategy_name == "compare");
  CHECK(complete.best_strategy == "middle");
  REQUIRE(complete.best_statistics);
  CHECK(*complete.best_statistics == *results[1].statistics);
  CHECK_FALSE(complete.stopped);
  const auto done = heard.of<done_event>().front();
  CHECK(done.walker_name == "compare");
  CHECK(done.outcome == run_outcome::completed);
  CHECK(finished.all().empty());
  const auto data = target.walker().get_data("BTC", "compare");
  CHECK(data.best_strategy == "middle");
  CHECK(ranking_of(data).front() == "middle");
  CHECK(data.strategies_tested == 3);
  // What each strategy did is what a backtest of its own does.
  const auto walked = target.backtest().get_data("BTC", "low");
  run_to_end(target, request_of({"BTC"}, {"low"}));
  CHECK(target.backtest().get_data("BTC", "low").statistics == walked.statistics);
}

TEST_CASE("walker: of equals the earlier one wins") {
  const watchdog guard{};
  runtime target{quiet()};
  add_rivals(target);
  target.add_walker(walker_of({"low", "twin", "middle"}));
  target.walker().background("BTC", "compare").wait();
  const auto data = target.walker().get_data("BTC", "compare");
  CHECK(data.best_strategy == "twin");
  CHECK(ranking_of(data) == names{"twin", "middle", "low"});
}

TEST_CASE("walker: without a value nobody wins") {
  const watchdog guard{};
  runtime target{quiet()};
  add_rivals(target);
  target.add_strategy(strategy_of("mute", never));
  target.add_walker(walker_of({"silent", "mute"}, "sharpe_ratio"));
  heard_events heard{target, walker_topics};
  target.walker().background("BTC", "compare").wait();
  const auto complete = heard.of<walker_complete>().front();
  CHECK_FALSE(complete.best_strategy);
  CHECK_FALSE(complete.best_metric);
  CHECK_FALSE(complete.best_statistics);
  CHECK(complete.strategies_tested == 2);
  CHECK(target.walker().get_report("BTC", "compare").find("No winner") != std::string::npos);
}

TEST_CASE("walker: a strategy that fails is told, counted and passed over") {
  const watchdog guard{};
  runtime target{quiet()};
  add_rivals(target);
  target.add_strategy(failing_strategy());
  auto schema = walker_of({"low", "broken", "middle"});
  std::vector<std::string> failures;
  schema.callbacks.on_strategy_error = [&](const std::string& strategy, const std::string& symbol,
                                           const error& reason) {
    failures.push_back(strategy + " " + symbol + " " + std::string{to_string(reason.code)});
  };
  target.add_walker(schema);
  heard_events heard{target, walker_topics};
  target.walker().background("BTC", "compare").wait();
  CHECK(failures == names{"broken BTC fetch_failed"});
  CHECK(topics_of(heard.all()) == names{"progress_walker", "walker", "error", "progress_walker",
                                        "progress_walker", "walker", "walker_complete",
                                        "done_walker"});
  CHECK(heard.of<error_event>().front().run->strategy_name == "broken");
  CHECK(heard.of<progress_walker>().back().progress == 1);
  const auto complete = heard.of<walker_complete>().front();
  CHECK(complete.strategies_failed == 1);
  CHECK(complete.strategies_tested == 2);
  CHECK_FALSE(complete.stopped);
  CHECK(complete.best_strategy == "middle");
}

TEST_CASE("walker: when all fail it completes without a winner") {
  const watchdog guard{};
  runtime target{quiet()};
  add_rivals(target);
  target.add_strategy(failing_strategy());
  target.add_walker(walker_of({"broken"}));
  heard_events heard{target, walker_topics};
  auto walk = target.walker().background("BTC", "compare");
  walk.wait();
  CHECK(walk.status().state == run_state::fulfilled);
  CHECK(heard.of<walker_event>().empty());
  CHECK_FALSE(heard.of<walker_complete>().front().best_strategy);
  CHECK(heard.of<done_event>().front().outcome == run_outcome::completed);
}

TEST_CASE("walker: a stop cuts the backtest short, and what is partial never wins") {
  const watchdog guard{};
  for (const bool by_handle : {false, true}) {
    CAPTURE(by_handle);
    runtime target{quiet()};
    gate held;
    add_rivals(target);
    target.add_strategy(strategy_of("held", [&](const run_context& context) {
      held.pass();
      return buy_for(1.9)(context);
    }));
    auto schema = walker_of({"low", "held", "middle"});
    tally turns;
    schema.callbacks.on_strategy_start = [&](const auto&, const auto&) { turns.add(); };
    target.add_walker(schema);
    heard_events heard{target, walker_topics};
    auto walk = target.walker().background("BTC", "compare");
    turns.wait_for(2);
    held.wait_for_arrival();
    if (by_handle)
      walk.cancel();
    else
      target.walker().stop("BTC", "compare");
    held.open();
    walk.wait();
    CHECK(topics_of(heard.all()) ==
          names{"progress_walker", "walker", "walker", "walker_complete", "done_walker"});
    const auto results = heard.of<walker_event>();
    REQUIRE(results.size() == 2);
    CHECK(results[1].partial);
    CHECK(results[1].best_strategy == "low");
    CHECK(results[1].strategies_tested == 1);
    const auto complete = heard.of<walker_complete>().front();
    CHECK(complete.stopped);
    CHECK(complete.best_strategy == "low");
    CHECK(heard.of<done_event>().front().outcome == run_outcome::stopped);
    CHECK(ranking_of(target.walker().get_data("BTC", "compare")) == names{"low", "held partial"});
    walk.cancel(); // over
    auto again = target.walker().background("BTC", "compare");
    again.wait();
    CHECK_FALSE(again.data().stopped);
  }
}

TEST_CASE("walker: names are taken all or none, and held until the end") {
  const watchdog guard{};
  runtime target{quiet()};
  gate held;
  add_rivals(target);
  target.add_strategy(strategy_of("held", [&](const run_context& context) {
    held.pass();
    return buy(context);
  }));
  target.add_walker(walker_of({"held", "low"}));
  target.add_walker(walker_of({"middle", "low"}, "total_pnl", "other"));
  target.add_walker(walker_of({"middle", "held"}, "total_pnl", "third"));
  run_to_end(target, request_of({"BTC"}, {"middle"}));
  const auto before = target.backtest().get_data("BTC", "middle").statistics;
  auto walk = target.walker().background("BTC", "compare");
  held.wait_for_arrival();
  CHECK(failure_of([&] { target.walker().background("BTC", "compare"); }).message ==
        "walker compare on BTC is already running in this runtime");
  for (const auto* name : {"other", "third"})
    CHECK(failure_of([&] { target.walker().background("BTC", name); }).code ==
          error_code::already_running);
  auto stream = target.walker().run("BTC", "other");
  CHECK(failure_of([&] { stream.next(); }).code == error_code::already_running);
  for (const auto* name : {"held", "low"})
    CHECK(failure_of([&] { target.backtest().background(request_of({"BTC"}, {name})); }).code ==
          error_code::already_running);
  // Refused walkers cleared nothing and left nothing taken.
  CHECK(target.backtest().get_data("BTC", "middle").statistics == before);
  CHECK(run_to_end(target, request_of({"BTC"}, {"middle"})).outcome == run_outcome::completed);
  target.backtest().stop("BTC", "low"); // taken, and not begun yet
  CHECK(target.walker().status("BTC", "compare").is_running());
  CHECK(target.walker().status("BTC", "other").state == run_state::ready);
  CHECK(target.walker().status("BTC", "other").id == 0);
  auto elsewhere = target.walker().background("ETH", "other"); // another symbol is free
  elsewhere.wait();
  held.open();
  walk.wait();
  CHECK(target.walker().list().size() == 2);
  CHECK(target.walker().list().front().identity.strategy_name == "compare");
  target.walker().background("BTC", "third").wait();
}

TEST_CASE("walker: a start clears the reports of all its strategies") {
  const watchdog guard{};
  runtime target{quiet()};
  gate held;
  add_rivals(target);
  target.add_strategy(strategy_of("held", [&](const run_context& context) {
    held.pass();
    return buy(context);
  }));
  target.add_walker(walker_of({"held", "low"}));
  run_to_end(target, request_of({"BTC"}, {"low"}));
  CHECK(target.backtest().get_data("BTC", "low").statistics.total_signals > 0);
  auto walk = target.walker().background("BTC", "compare");
  held.wait_for_arrival();
  CHECK(target.backtest().get_data("BTC", "low").statistics.total_signals == 0);
  held.open();
  walk.wait();
}

TEST_CASE("walker stream: nothing before the first next, one strategy a time") {
  const watchdog guard{};
  runtime target{quiet()};
  add_rivals(target);
  target.add_strategy(failing_strategy());
  target.add_walker(walker_of({"low", "broken", "middle"}));
  heard_events heard{target, walker_topics};
  auto stream = target.walker().run("BTC", "compare");
  CHECK(target.walker().list().empty());
  auto first = stream.next();
  REQUIRE(first);
  CHECK(first->run->strategy_name == "low");
  CHECK(target.backtest().status("BTC", "middle").state == run_state::ready);
  auto second = stream.next();
  REQUIRE(second);
  CHECK(second->run->strategy_name == "middle");
  CHECK_FALSE(stream.next());
  CHECK_FALSE(stream.next());
  CHECK(heard.of<done_event>().empty());
  CHECK(heard.of<walker_complete>().size() == 1);
  CHECK(heard.of<walker_event>() == std::vector{*first, *second});
}

TEST_CASE("walker stream: letting go of it ends the walker and frees the names") {
  const watchdog guard{};
  runtime target{quiet()};
  add_rivals(target);
  target.add_walker(walker_of({"low", "middle"}));
  heard_events heard{target, walker_topics};
  {
    auto stream = target.walker().run("BTC", "compare");
    REQUIRE(stream.next());
    auto moved = std::move(stream);
  }
  CHECK(topics_of(heard.all()) == names{"progress_walker", "walker", "walker_complete"});
  CHECK(heard.of<walker_complete>().front().stopped);
  CHECK_FALSE(target.walker().status("BTC", "compare").is_running());
  target.walker().background("BTC", "compare").wait();
}

TEST_CASE("walker: callbacks come in order, and what they throw is told") {
  const watchdog guard{};
  for (const bool throwing : {false, true}) {
    CAPTURE(throwing);
    runtime target{quiet()};
    add_rivals(target);
    target.add_strategy(failing_strategy());
    auto schema = walker_of({"low", "broken"});
    names called;
    const auto call = [&](const std::string& what) {
      called.push_back(what);
      if (throwing && called.size() % 2 == 0)
        throw 1;
      if (throwing)
        throw std::runtime_error("no");
    };
    schema.callbacks.on_strategy_start = [&](const auto& strategy, const auto&) {
      call("start " + strategy);
    };
    schema.callbacks.on_strategy_complete = [&](const auto& strategy, const auto&,
                                                const trade_statistics& statistics,
                                                std::optional<double> value) {
      CHECK(value == statistics.total_pnl);
      call("complete " + strategy);
    };
    schema.callbacks.on_strategy_error = [&](const auto& strategy, const auto&, const error&) {
      call("error " + strategy);
    };
    schema.callbacks.on_complete = [&](const walker_complete& outcome) {
      call("over, best " + outcome.best_strategy.value_or("none"));
    };
    target.add_walker(schema);
    heard_events heard{target, walker_topics};
    target.walker().background("BTC", "compare").wait();
    CHECK(called ==
          names{"start low", "complete low", "start broken", "error broken", "over, best low"});
    CHECK(heard.count(error_code::callback_failed) == (throwing ? 5 : 0));
    CHECK(heard.of<done_event>().front().outcome == run_outcome::completed);
  }
}

TEST_CASE("walker: the same events and report on one thread and on four") {
  const watchdog guard{};
  std::string first;
  for (const std::size_t threads : {1U, 4U}) {
    runtime target{quiet(threads)};
    add_rivals(target);
    target.add_strategy(failing_strategy());
    target.add_walker(walker_of({"low", "broken", "twin", "silent", "buyer", "middle"}));
    heard_events heard{target,
                       {topic::progress_walker, topic::walker, topic::walker_complete,
                        topic::done_walker, topic::error, topic::signal_backtest}};
    target.walker().background("BTC", "compare").wait();
    const auto text = text_of(heard.all()) + target.walker().get_report("BTC", "compare");
    if (first.empty())
      first = text;
    CHECK(first.size() > 10'000);
    CHECK(text == first);
  }
}

TEST_CASE("walker: an unknown name is refused by every function, and nothing begins") {
  const watchdog guard{};
  runtime target{quiet()};
  add_rivals(target);
  target.add_walker(walker_of({"low", "nobody"}));
  auto walker = target.walker();
  const auto message = [](auto&& action) { return failure_of(action).message; };
  CHECK(message([&] { walker.run("BTC", "who"); }) == "walker who not found source=walker.run");
  CHECK(message([&] { walker.background("BTC", "compare"); }) ==
        "strategy nobody not found source=walker.background, named by walker compare");
  CHECK(message([&] { walker.stop("BTC", "who"); }) == "walker who not found source=walker.stop");
  CHECK(message([&] { walker.status("BTC", "who"); }) ==
        "walker who not found source=walker.status");
  CHECK(message([&] { walker.get_data("BTC", "who"); }) ==
        "walker who not found source=walker.get_data");
  CHECK(message([&] { walker.get_report("BTC", "who"); }) ==
        "walker who not found source=walker.get_report");
  CHECK(message([&] { walker.dump("BTC", "who"); }) == "walker who not found source=walker.dump");
  CHECK(walker.list().empty());
}

TEST_CASE("walker: before any result its report is empty, and a dump goes where it is told") {
  const watchdog guard{};
  const scratch_directory folder{"walker_dump"};
  runtime target{quiet()};
  add_rivals(target);
  target.add_walker(walker_of({"low", "middle"}));
  CHECK(target.walker().get_data("BTC", "compare").strategies_tested == 0);
  CHECK(target.walker().get_data("BTC", "compare").total_strategies == 2);
  target.walker().background("BTC", "compare").wait();
  const auto file = target.walker().dump("BTC", "compare", folder.path);
  CHECK(file == folder.path / "walker/BTC_compare.md");
  column_overrides narrow;
  narrow.walker_strategy = column_list<walker_result>{
      {"who", "Who", [](const walker_result& row, std::size_t) { return row.strategy_name; }}};
  target.set_columns(narrow);
  CHECK(target.walker().get_report("BTC", "compare").find("| Who |") != std::string::npos);
}

TEST_CASE("walker: a runtime without backtest reports cannot compare") {
  const watchdog guard{};
  auto options = quiet();
  options.reports = {};
  runtime target{options};
  add_rivals(target);
  target.add_walker(walker_of({"low"}));
  CHECK(failure_of([&] {
          target.walker().background("BTC", "compare");
        }).message.find("need backtest reports") != std::string::npos);
}

TEST_CASE("walker: a runtime is destroyed while walkers are busy") {
  const watchdog guard{};
  for (int i = 0; i < 10; ++i) {
    gate held;
    held.open();
    walker_handle kept;
    std::optional<walker_stream> stream;
    {
      runtime target{quiet()};
      add_rivals(target, 400 * day_ms);
      target.add_strategy(strategy_of("seen", [&](const run_context& context) {
        held.pass();
        return buy(context);
      }));
      names strategies{"seen", "low", "middle"};
      for (int more = 0; more < 20; ++more) { // too many to be done by then
        strategies.push_back(fmt::format("more{}", more));
        target.add_strategy(strategy_of(strategies.back()));
      }
      target.add_walker(walker_of(strategies));
      target.add_walker(walker_of({"low"}, "total_pnl", "short"));
      kept = target.walker().background("BTC", "compare");
      target.walker().background("ETH", "compare");
      stream = target.walker().run("XRP", "short");
      if (i % 2 == 0)
        stream->next();
      held.wait_for_arrival(1 + i);
    }
    CHECK(kept.finished());
    CHECK(kept.data().stopped);
    CHECK_FALSE(kept.status().is_running());
    if (i % 2 == 0)
      CHECK_FALSE(stream->next());
    else
      stream.reset();
  }
}

TEST_CASE("walker stream: a runtime is destroyed while another thread waits in next") {
  const watchdog guard{};
  gate held;
  std::optional<walker_event> element;
  std::thread consumer;
  {
    runtime target{quiet()};
    add_rivals(target, 400 * day_ms);
    target.add_strategy(strategy_of("held", [&](const run_context& context) {
      held.pass();
      return buy(context);
    }));
    target.add_walker(walker_of({"held", "low"}));
    consumer = std::thread{[&element, stream = target.walker().run("BTC", "compare")]() mutable {
      element = stream.next();
    }};
    held.wait_for_arrival();
    held.open();
  }
  consumer.join();
  REQUIRE(element);
  CHECK(element->partial);
}
