#include "tests/support/runtime_fixture.hpp"

using namespace backtest;
using namespace backtest::testing;

namespace {

sizing_schema one_percent() {
  sizing_schema sizing;
  sizing.sizing_name = "one_percent";
  sizing.risk_percentage = 1;
  return sizing;
}

/// 1 % of 10,000 at risk over a distance of 2: 50.
constexpr fixed_percentage_size fifty{10'000, 100, 98};

/// As `buy`, with a quantity.
std::optional<signal_request> buy_sized(const run_context& context) {
  auto request = buy(context);
  request->quantity = context.size("one_percent", fifty);
  return request;
}

/// Asks the client of the sizing its context would ask.
struct sizing_source_state {
  self_pointer<signal_source_actor, sizing_source_state> self = nullptr;

  void init() {}

  signal_source_actor::behavior_type make_behavior() {
    return {[this](const generate_signal& message) -> caf::result<generated_signal> {
      auto promise = promise_answer<generated_signal>(self);
      const auto symbol = message.run.symbol;
      request(self, message.sizings, caf::infinite, resolve<sizing_key>{{"one_percent"}})
          .then([this, promise, symbol](const resolved<sizing_actor>& found) {
            request(self, found.client, caf::infinite, ask_position_size{symbol, fifty})
                .then([promise](const sized_position& sized) mutable {
                  signal_request wanted;
                  wanted.price_take_profit = 102.5;
                  wanted.price_stop_loss = 97;
                  wanted.quantity = sized.quantity;
                  promise.deliver(generated_signal{wanted, std::nullopt});
                });
          });
      return promise;
    }};
  }
};

} // namespace

TEST_CASE("sizing: the runtime sizes by name, what is overridden counts from then on") {
  const watchdog guard{};
  runtime target{quiet()};
  target.add_sizing(one_percent());
  CHECK(target.position_size("one_percent", "BTC", fifty) == 50);
  CHECK(target.position_size("one_percent", "ETH", fixed_percentage_size{10'000, 100, 99}) == 100);
  target.override_sizing("one_percent", [](sizing_schema& s) { s.risk_percentage = 2; });
  CHECK(target.position_size("one_percent", "BTC", fifty) == 100);
  CHECK(target.get_sizing("one_percent").risk_percentage == 2);
  CHECK(target.list_sizings().size() == 1);
}

TEST_CASE("sizing: the runtime refuses unknown names, other methods and inputs out of range") {
  const watchdog guard{};
  runtime target{quiet()};
  target.add_sizing(one_percent());
  CHECK(failure_of([&] { target.position_size("none", "BTC", fifty); }) ==
        error{error_code::not_found, "sizing none not found source=position_size"});
  CHECK(failure_of([&] {
          target.position_size("one_percent", "BTC", atr_based_size{10'000, 100, 5});
        }) == error{error_code::invalid_argument, "sizing one_percent: method mismatch: it is "
                                                  "fixed-percentage, asked for atr-based"});
  CHECK(failure_of([&] {
          target.position_size("one_percent", "BTC", fixed_percentage_size{-1, 100, 98});
        }).message == "sizing one_percent: balance must be a non-negative number, got -1");
  CHECK(target.position_size("one_percent", "BTC", fifty) == 50); // its client lives on
  CHECK(failure_of([&] {
          target.override_sizing("one_percent", [](auto& s) { s.risk_percentage = 0; });
        }).code == error_code::invalid_argument);
}

TEST_CASE("sizing: what on_calculate throws is an error event, the quantity is answered") {
  const watchdog guard{};
  runtime target{quiet()};
  auto sizing = one_percent();
  sizing.callbacks.on_calculate = [](auto&&...) { throw std::runtime_error("ledger is full"); };
  target.add_sizing(sizing);
  heard_events errors{target, {topic::error}};
  CHECK(target.position_size("one_percent", "BTC", fifty) == 50);
  const auto told = errors.of<error_event>();
  REQUIRE(told.size() == 1);
  CHECK(told[0].code == error_code::callback_failed);
  CHECK(told[0].message == "sizing one_percent: on_calculate threw: ledger is full");
}

TEST_CASE("sizing: a signal source sizes through its context, every event carries the quantity") {
  const watchdog guard{};
  for (const bool blocking : {false, true}) {
    CAPTURE(blocking);
    runtime target{quiet()};
    add_basics(target, buy_sized);
    target.override_strategy("buyer", [&](strategy_schema& s) { s.blocking = blocking; });
    auto sizing = one_percent();
    tally calculated;
    sizing.callbacks.on_calculate = [&](std::string_view symbol, double quantity,
                                        const size_request&) {
      CHECK(symbol == "BTC");
      CHECK(quantity == 50);
      if (calculated.add() == 1)
        throw std::runtime_error("ledger is full");
    };
    target.add_sizing(sizing);
    heard_events heard{target, {topic::signal_backtest, topic::error}};
    const auto summary = run_to_end(target);
    CHECK(summary.counters.opened > 1);
    CHECK(summary.errors == 1);
    CHECK(calculated.count() == summary.counters.opened);
    for (const auto& tick : heard.of<tick_result>())
      if (tick.signal)
        CHECK(tick.signal->quantity == 50);
    const auto first = heard.of<error_event>();
    REQUIRE(first.size() == 1);
    CHECK(first[0].code == error_code::callback_failed);
    CHECK(first[0].message == "sizing one_percent: on_calculate threw: ledger is full");
    CHECK(first[0].source == "sizing");
    CHECK(first[0].timestamp == first_instant);
    REQUIRE(first[0].run);
    CHECK(first[0].run->strategy_name == "buyer");
    CHECK(heard.all().front().on == topic::error); // before the signal it was asked for
  }
}

TEST_CASE("sizing: a run keeps the sizings it was started with") {
  const watchdog guard{};
  gate first;
  runtime target{quiet()};
  add_basics(target, [&](const run_context& context) {
    first.pass();
    return buy_sized(context);
  });
  target.add_sizing(one_percent());
  heard_events heard{target, {topic::signal_backtest}};
  auto run = target.backtest().background(request_of());
  first.wait_for_arrival();
  target.override_sizing("one_percent", [](sizing_schema& s) { s.risk_percentage = 2; });
  first.open();
  run.wait();
  const auto ticks = heard.of<tick_result>();
  REQUIRE(ticks.size() > 1);
  CHECK(ticks.back().signal->quantity == 50);
}

TEST_CASE("sizing: an unknown name in a signal source is that instant's error") {
  const watchdog guard{};
  runtime target{quiet()};
  add_basics(target, buy_sized, 0);
  heard_events errors{target, {topic::error}};
  CHECK(run_to_end(target).outcome == run_outcome::completed);
  const auto told = errors.of<error_event>();
  REQUIRE(told.size() == 1);
  CHECK(told[0].code == error_code::signal_source_failed);
  CHECK(told[0].message == "sizing one_percent not found source=context.size");
}

TEST_CASE("sizing: a signal source that is an actor asks the sizing's client") {
  const watchdog guard{};
  runtime target{quiet()};
  target.add_exchange(wave_exchange());
  target.add_frame(frame_of(day_ms));
  target.add_sizing(one_percent());
  const auto source =
      spawn_actor<sizing_source_state, signal_source_actor>(target.system(), nullptr);
  target.add_strategy(strategy_of("buyer"), source);
  heard_events heard{target, {topic::signal_backtest}};
  CHECK(run_to_end(target).counters.opened > 1);
  CHECK(heard.of<tick_result>().front().signal->quantity == 50);
  end_actor(source);
}
