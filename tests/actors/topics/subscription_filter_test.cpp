#include "actors/topics/subscription_filter.hpp"

#include <memory>

#include <doctest/doctest.h>

using namespace backtest;

namespace {

shared_identity run_of(std::string symbol, std::string strategy,
                       run_mode mode = run_mode::backtest) {
  return std::make_shared<const run_identity>(
      run_identity{std::move(symbol), std::move(strategy), "paper", "frame", mode});
}

event tick_event(tick_action action, shared_identity run = run_of("BTC", "s"),
                 topic on = topic::signal_backtest) {
  tick_result tick;
  tick.action = action;
  tick.run = std::move(run);
  return {on, tick};
}

event error_of_run(shared_identity run) {
  return {topic::error, error_event{error_code::data_gap, "", "", 0, std::move(run)}};
}

/// Topics under which the event is delivered.
std::vector<topic> delivered(const subscription& wanted, const event& item) {
  std::vector<event> out;
  const subscription_filter filter{wanted};
  if (filter.wants(item))
    filter.deliver(item, out);
  std::vector<topic> topics;
  for (auto& copy : out) {
    topics.push_back(copy.on);
    copy.on = item.on;
    CHECK(copy == item);
  }
  return topics;
}

using topics = std::vector<topic>;

} // namespace

TEST_CASE("subscription filter: an event comes under the topics that were named") {
  CHECK(delivered({{topic::error}, {}, {}, {}}, error_of_run(run_of("BTC", "s"))) ==
        topics{topic::error});
  CHECK(delivered({{topic::risk}, {}, {}, {}}, error_of_run(run_of("BTC", "s"))) == topics{});
}

TEST_CASE("subscription filter: empty lists mean all, and every event comes once") {
  const subscription all;
  CHECK(delivered(all, error_of_run(run_of("BTC", "s"))) == topics{topic::error});
  CHECK(delivered(all, error_of_run(nullptr)) == topics{topic::error});
  for (std::size_t a = 0; a < tick_action_count; ++a) {
    const auto action = static_cast<tick_action>(a);
    CHECK(delivered(all, tick_event(action)) == topics{topic::signal_backtest});
    CHECK(delivered(all, tick_event(action, run_of("BTC", "s", run_mode::live),
                                    topic::signal_live)) == topics{topic::signal_live});
    CHECK(subscription_filter{all}.interest_in(*run_of("BTC", "s")).has(action));
  }
  for (std::size_t t = 0; t < topic_count; ++t)
    if (const auto on = static_cast<topic>(t); on != topic::signal)
      CHECK(subscription_filter{all}.interest_in(*run_of("BTC", "s")).has(on));
  const subscription on_btc{{}, {}, {"BTC"}, {}};
  CHECK(delivered(on_btc, error_of_run(run_of("BTC", "s"))) == topics{topic::error});
  CHECK(delivered(on_btc, error_of_run(run_of("ETH", "s"))) == topics{});
}

TEST_CASE("subscription: what people are told of it") {
  CHECK(text_of(subscription{}) == "(every topic)");
  subscription wanted{{topic::signal_backtest, topic::error}, {}, {"BTC"}, {"a", "b"}};
  CHECK(text_of(wanted) == "(topics signal_backtest, error; symbols BTC; strategies a, b)");
  wanted.name = "charts";
  wanted.symbols = {"A", "B", "C", "D", "E", "F"};
  wanted.strategies = {};
  CHECK(text_of(wanted) ==
        "\"charts\" (topics signal_backtest, error; symbols A, B, C, D, E, ...)");
}

TEST_CASE("subscription filter: a tick comes under its own topic first, then under signal") {
  const auto tick = tick_event(tick_action::opened);
  CHECK(delivered({{topic::signal_backtest}, {}, {}, {}}, tick) == topics{topic::signal_backtest});
  CHECK(delivered({{topic::signal}, {}, {}, {}}, tick) == topics{topic::signal});
  CHECK(delivered({{topic::signal, topic::signal_backtest}, {}, {}, {}}, tick) ==
        topics{topic::signal_backtest, topic::signal});
  CHECK(delivered({{topic::signal_live}, {}, {}, {}}, tick) == topics{});
  CHECK(delivered({{topic::signal}, {}, {}, {}}, error_of_run(run_of("BTC", "s"))) == topics{});
}

TEST_CASE("subscription filter: actions choose among ticks, and leave other topics alone") {
  const subscription wanted{{topic::signal, topic::error}, {tick_action::closed}, {}, {}};
  CHECK(delivered(wanted, tick_event(tick_action::closed)) == topics{topic::signal});
  CHECK(delivered(wanted, tick_event(tick_action::opened)) == topics{});
  CHECK(delivered(wanted, error_of_run(run_of("BTC", "s"))) == topics{topic::error});
}

TEST_CASE("subscription filter: symbols and strategies choose among runs") {
  const subscription wanted{{topic::error}, {}, {"BTC", "ETH"}, {"s"}};
  CHECK(delivered(wanted, error_of_run(run_of("BTC", "s"))) == topics{topic::error});
  CHECK(delivered(wanted, error_of_run(run_of("ETH", "s"))) == topics{topic::error});
  CHECK(delivered(wanted, error_of_run(run_of("ADA", "s"))) == topics{});
  CHECK(delivered(wanted, error_of_run(run_of("BTC", "t"))) == topics{});
}

TEST_CASE("subscription filter: what belongs to no run passes only without a filter by name") {
  CHECK(delivered({{topic::error}, {}, {}, {}}, error_of_run(nullptr)) == topics{topic::error});
  CHECK(delivered({{topic::error}, {}, {"BTC"}, {}}, error_of_run(nullptr)) == topics{});
  CHECK(delivered({{topic::error}, {}, {}, {"s"}}, error_of_run(nullptr)) == topics{});
}

TEST_CASE("subscription filter: a run builds what is wanted and nothing else") {
  const auto interest_in = [](const subscription& wanted, const shared_identity& run) {
    return subscription_filter{wanted}.interest_in(*run);
  };
  const auto backtest_run = run_of("BTC", "s");
  const auto live_run = run_of("BTC", "s", run_mode::live);
  const subscription closes{{topic::signal_backtest}, {tick_action::closed}, {"BTC"}, {}};
  CHECK(interest_in(closes, backtest_run) ==
        (interest::of(topic::signal_backtest) | interest::of(tick_action::closed)));
  CHECK(interest_in(closes, run_of("ETH", "s")).empty());
  CHECK_FALSE(interest_in(closes, live_run).has(tick_action::closed));
  CHECK(interest_in({{topic::signal}, {}, {}, {}}, live_run).has(tick_action::idle));
  const auto errors_only = interest_in({{topic::error}, {}, {}, {}}, backtest_run);
  CHECK(errors_only == interest::of(topic::error)); // no tick is built for it
}

TEST_CASE("subscription filter: whatever is delivered was asked for") {
  for (std::size_t t = 0; t < topic_count; ++t)
    for (std::size_t a = 0; a < tick_action_count; ++a) {
      const subscription wanted{{static_cast<topic>(t)}, {static_cast<tick_action>(a)}, {}, {}};
      const subscription_filter filter{wanted};
      const auto mask = filter.interest_in(*run_of("BTC", "s"));
      for (std::size_t b = 0; b < tick_action_count; ++b) {
        const auto action = static_cast<tick_action>(b);
        std::vector<event> out;
        if (const auto tick = tick_event(action); filter.wants(tick))
          filter.deliver(tick, out);
        CHECK(out.empty() == !mask.has(action));
      }
    }
}
