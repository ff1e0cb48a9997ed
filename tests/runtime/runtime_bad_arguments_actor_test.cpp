#include "messages/own_actor_system.hpp"
#include "tests/support/live_fixture.hpp"
#include "tests/support/walker_fixture.hpp"

using namespace backtest;
using namespace backtest::testing;

namespace {

/// No enumeration of the library goes so far.
template <class Enum>
constexpr Enum beyond() {
  return static_cast<Enum>(200);
}

struct bad_call {
  std::string expected; ///< in the message
  std::function<void(runtime&)> make;
};

template <class Schema, class Change>
Schema with(Schema schema, Change change) {
  change(schema);
  return schema;
}

/// An `override_*` whose function makes this of a schema.
template <class Schema, class Change>
std::function<void(Schema&)> making(Change change) {
  return [change](Schema& schema) { change(schema); };
}

sizing_schema sizing_of(const std::string& name = "sizing") {
  sizing_schema schema;
  schema.sizing_name = name;
  schema.risk_percentage = 1;
  return schema;
}

risk_schema risk_named(const std::string& name = "risk") {
  risk_schema schema;
  schema.risk_name = name;
  return schema;
}

const std::vector<bad_call> schemas{
    {"get_candles must be a function",
     [](runtime& r) {
       r.add_exchange(with(wave_exchange("x"), [](auto& s) { s.get_candles = nullptr; }));
     }},
    {"fills must be vwap or touch, got 200",
     [](runtime& r) {
       r.add_exchange(
           with(wave_exchange("x"), [](auto& s) { s.entry_fill = beyond<fill_model>(); }));
     }},
    {"fills must be vwap or touch, got 200",
     [](runtime& r) {
       r.add_exchange(
           with(wave_exchange("x"), [](auto& s) { s.exit_fill = beyond<fill_model>(); }));
     }},
    {"native_intervals must lie in 1m to 1d, got unknown",
     [](runtime& r) {
       r.add_exchange(
           with(wave_exchange("x"), [](auto& s) { s.native_intervals = {beyond<interval>()}; }));
     }},
    {"there is no interval 200",
     [](runtime& r) { r.add_frame(frame_of(day_ms, "x", beyond<interval>())); }},
    {"validations[0] must be a function",
     [](runtime& r) {
       r.add_risk(with(risk_named("x"), [](auto& s) { s.validations = {{{}, ""}}; }));
     }},
    {"method must be fixed-percentage, kelly-criterion or atr-based, got 200",
     [](runtime& r) {
       r.add_sizing(with(sizing_of("x"), [](auto& s) { s.method = beyond<sizing_method>(); }));
     }},
    {"get_signal must be a function",
     [](runtime& r) { r.add_strategy(strategy_of("x", nullptr)); }},
    {"interval unknown must be one of",
     [](runtime& r) {
       r.add_strategy(with(strategy_of("x"), [](auto& s) { s.size = beyond<interval>(); }));
     }},
    {"source must be an actor",
     [](runtime& r) { r.add_strategy(strategy_of("x"), signal_source_actor{}); }},
    {"strategies must not be empty", [](runtime& r) { r.add_walker(walker_of({})); }},
    {"override_exchange exchange: change must be a function",
     [](runtime& r) { r.override_exchange("exchange", nullptr); }},
    {"override_frame frame: change must be a function",
     [](runtime& r) { r.override_frame("frame", nullptr); }},
    {"override_risk risk: change must be a function",
     [](runtime& r) { r.override_risk("risk", nullptr); }},
    {"override_sizing sizing: change must be a function",
     [](runtime& r) { r.override_sizing("sizing", nullptr); }},
    {"override_strategy buyer: change must be a function",
     [](runtime& r) { r.override_strategy("buyer", nullptr); }},
    {"override_walker compare: change must be a function",
     [](runtime& r) { r.override_walker("compare", nullptr); }},
    {"there is no interval 200",
     [](runtime& r) {
       r.override_frame("frame",
                        making<frame_schema>([](auto& s) { s.size = beyond<interval>(); }));
     }},
    {"must have a name", [](runtime& r) { r.types().add_strategy_type({}); }},
    {"has no make function",
     [](runtime& r) {
       r.types().add_rule_type({"x", "", {}, {}});
     }},
};

const std::vector<bad_call> subscriptions{
    {"listen: callback must be a function",
     [](runtime& r) {
       r.listen({{topic::error}, {}, {}, {}}, nullptr);
     }},
    {"listen: callback must be a function",
     [](runtime& r) {
       r.listen_once({{topic::error}, {}, {}, {}}, {}, nullptr);
     }},
    {"there is no topic 200, expected 0 to 18",
     [](runtime& r) {
       r.listen({{beyond<topic>()}, {}, {}, {}}, [](const event&) {});
     }},
    {"there is no action 200, expected 0 to 6",
     [](runtime& r) {
       r.listen_once({{}, {beyond<tick_action>()}, {}, {}}, {}, [](const event&) {});
     }},
    {"subscriber must be an actor",
     [](runtime& r) {
       r.subscribe({{topic::error}, {}, {}, {}}, subscriber_actor{});
     }},
#define BACKTEST_BAD_LISTEN(name)                                                                  \
  {                                                                                                \
#name ": callback must be a function", [](runtime & r) { r.name(nullptr); }                    \
  }
    BACKTEST_BAD_LISTEN(listen_signal),
    BACKTEST_BAD_LISTEN(listen_signal_backtest),
    BACKTEST_BAD_LISTEN(listen_signal_live),
    BACKTEST_BAD_LISTEN(listen_done_live),
    BACKTEST_BAD_LISTEN(listen_control),
    BACKTEST_BAD_LISTEN(listen_error),
    BACKTEST_BAD_LISTEN(listen_exit),
    BACKTEST_BAD_LISTEN(listen_validation),
    BACKTEST_BAD_LISTEN(listen_done_backtest),
    BACKTEST_BAD_LISTEN(listen_backtest_progress),
    BACKTEST_BAD_LISTEN(listen_performance),
    BACKTEST_BAD_LISTEN(listen_partial_profit),
    BACKTEST_BAD_LISTEN(listen_partial_loss),
    BACKTEST_BAD_LISTEN(listen_risk),
    BACKTEST_BAD_LISTEN(listen_walker),
    BACKTEST_BAD_LISTEN(listen_walker_progress),
    BACKTEST_BAD_LISTEN(listen_walker_complete),
    BACKTEST_BAD_LISTEN(listen_done_walker),
#undef BACKTEST_BAD_LISTEN
};

template <class View>
void add_mode_calls(std::vector<bad_call>& calls, const std::string& name, View view) {
  const auto expected = [&](const char* function) {
    return name + "." + function + ": mode must be backtest or live, got 200";
  };
  constexpr auto mode = beyond<run_mode>();
  calls.push_back(
      {expected("get_data"), [view](runtime& r) { (r.*view)().get_data("BTC", "buyer", mode); }});
  calls.push_back({expected("get_report"),
                   [view](runtime& r) { (r.*view)().get_report("BTC", "buyer", mode); }});
  calls.push_back(
      {expected("dump"), [view](runtime& r) { (r.*view)().dump("BTC", "buyer", mode); }});
  calls.push_back(
      {expected("clear"), [view](runtime& r) { (r.*view)().clear("BTC", "buyer", mode); }});
}

std::vector<bad_call> runs_and_reports() {
  std::vector<bad_call> calls{
      {"symbols must not be empty", [](runtime& r) { r.backtest().run({}); }},
      {"symbols must not be empty", [](runtime& r) { r.backtest().background({}); }},
      {"runs[0] must not be null",
       [](runtime& r) { r.backtest().portfolio_statistics({shared_identity{}}); }},
      {"symbols must not be empty", [](runtime& r) { r.live().run({}); }},
      {"symbols must not be empty", [](runtime& r) { r.live().background({}); }},
      {"orphans must be refuse, watch or drop, got 200",
       [](runtime& r) {
         r.live().background(with(one_buyer(at_full_speed()),
                                  [](auto& q) { q.orphans = beyond<orphan_policy>(); }));
       }},
      {"there is no operator command 200, expected pause, resume, cancel or close",
       [](runtime& r) { r.live().control("BTC", "buyer", beyond<operator_command>()); }},
      {"publish: node must be an actor",
       [](runtime& r) { publish_node(r.system(), node_actor{}, {}); }},
      {"mode must be backtest or live, got 200",
       [](runtime& r) { r.heat().get_data("buyer", beyond<run_mode>()); }},
      {"mode must be backtest or live, got 200",
       [](runtime& r) { r.heat().get_report("buyer", beyond<run_mode>()); }},
      {"mode must be backtest or live, got 200",
       [](runtime& r) { r.heat().dump("buyer", beyond<run_mode>()); }},
      {"mode must be backtest or live, got 200",
       [](runtime& r) { r.heat().clear("buyer", beyond<run_mode>()); }},
  };
  add_mode_calls(calls, "schedule", &runtime::schedule);
  add_mode_calls(calls, "performance", &runtime::performance);
  add_mode_calls(calls, "partial", &runtime::partial);
  add_mode_calls(calls, "risk", &runtime::risk);
  return calls;
}

void check_all(const std::vector<bad_call>& calls) {
  runtime target{quiet()};
  add_rivals(target);
  target.add_risk(risk_named());
  target.add_sizing(sizing_of());
  target.add_walker(walker_of({"buyer"}));
  for (const auto& call : calls) {
    CAPTURE(call.expected);
    const auto problem = failure_of([&] { call.make(target); });
    CHECK(problem.code == error_code::invalid_argument);
    CHECK_MESSAGE(problem.message.find(call.expected) != std::string::npos, problem.message);
  }
  CHECK(run_to_end(target).outcome == run_outcome::completed);
}

} // namespace

TEST_CASE("bad arguments: schemas with null functions and enums out of range are refused") {
  const watchdog guard{};
  check_all(schemas);
}

TEST_CASE("bad arguments: so are subscriptions") {
  const watchdog guard{};
  check_all(subscriptions);
}

TEST_CASE("bad arguments: so are runs, commands and reports") {
  const watchdog guard{};
  check_all(runs_and_reports());
}

TEST_CASE("bad arguments: handles of nothing are harmless") {
  const watchdog guard{};
  run_handle run;
  run.cancel();
  run.wait();
  CHECK(run.id() == 0);
  CHECK(run.finished());
  CHECK(run.summaries().empty());

  walker_handle walk;
  walk.cancel();
  walk.wait();
  CHECK(walk.id() == 0);
  CHECK(walk.finished());
  CHECK(walk.status().id == 0);
  CHECK(walk.status().state == run_state::ready);
  CHECK(walk.data().strategy_results.empty());
  CHECK(walk.summaries().empty());

  signal_stream signals{nullptr, nullptr};
  auto moved_signals = std::move(signals);
  for (auto* stream : {&signals, &moved_signals}) {
    stream->stop();
    CHECK_FALSE(stream->next());
    CHECK(stream->summaries().empty());
  }
  walker_stream results{nullptr, nullptr};
  auto moved_results = std::move(results);
  for (auto* stream : {&results, &moved_results}) {
    stream->stop();
    CHECK_FALSE(stream->next());
  }

  listener_handle listener;
  listener.unsubscribe();
  CHECK(listener.id() == 0);
  CHECK(listener.effective().empty());

  publication published;
  published.close();
  CHECK(published.address().port == 0);
}

TEST_CASE("bad arguments: a stream that was moved from leaves its run to the other one") {
  const watchdog guard{};
  runtime target{quiet()};
  add_basics(target);
  auto first = target.backtest().run(request_of());
  REQUIRE(first.next());
  auto second = std::move(first);
  CHECK_FALSE(first.next());
  CHECK(second.next());
}

TEST_CASE("bad arguments: what may be empty changes nothing") {
  const watchdog guard{};
  auto options = quiet();
  options.log = std::make_shared<kept_log>();
  runtime target{options};
  add_basics(target);
  target.set_logger(nullptr);
  target.set_columns({});
  target.enable_reports({report_kind::backtest, beyond<report_kind>()});
  CHECK(target.enabled_reports() == report_set{report_kind::backtest});
  CHECK(run_to_end(target).outcome == run_outcome::completed);
}

TEST_CASE("bad arguments: an open_store that answers with null is told whoever needs the store") {
  const watchdog guard{};
  auto options = quiet();
  options.network = true; // `publish` asks for it before it needs a store
  options.open_store = [] { return std::unique_ptr<store>{}; };
  runtime target{options};
  add_basics(target);
  target.override_exchange("exchange", [](exchange_schema& schema) {
    schema.keeps_candles = true;
    schema.now = [] { return first_instant + 100 * day_ms; };
  });
  const std::vector<std::function<void()>> needing{
      [&] { target.live().background(one_buyer(at_full_speed())); },
      [&] { target.live().run(one_buyer(at_full_speed())).next(); },
      [&] { target.node(); },
      [&] { target.publish(); },
  };
  for (const auto& call : needing) {
    const auto problem = failure_of(call);
    CHECK(problem.code == error_code::invalid_argument);
    CHECK(problem.message == "runtime_options::open_store answered with null, expected a store");
  }
  CHECK(run_to_end(target).outcome == run_outcome::completed);
}

TEST_CASE("bad arguments: an operator command that is none is refused, and no journal holds it") {
  const watchdog guard{};
  const test_disk disk;
  runtime target{on(disk)};
  add_basics(target);
  const auto clock = std::make_shared<manual_clock>(first_instant + settled);
  auto run = target.live().background(one_buyer(clock));
  clock->wait_until_watched();
  control_run bad{"buyer", "BTC", beyond<operator_command>()};
  {
    caf::scoped_actor self{target.system()};
    request(self, target.node(), caf::infinite, bad)
        .receive(
            [](const run_controlled& answer) {
              REQUIRE(answer.problem);
              CHECK(answer.problem->code == error_code::invalid_argument);
              CHECK(answer.problem->message ==
                    "there is no operator command 200, expected pause, resume, cancel or close");
            },
            [](const caf::error&) { FAIL_CHECK("no answer"); });
  }
  // Between processes it is text, where it is none either.
  control_run read;
  CHECK(!read_json_text(to_json_text(bad), read));
  REQUIRE(read.unreadable);
  CHECK(read.unreadable->message.find("expected pause, resume, cancel or close") !=
        std::string::npos);
  run.cancel();
  run.wait();
  for (const auto& line : disk.journal())
    CHECK(line.find("control") == std::string::npos);
}

TEST_CASE("bad arguments: the bus refuses a subscriber of nothing and lives on") {
  const watchdog guard{};
  runtime target{quiet()};
  add_basics(target);
  {
    caf::scoped_actor self{target.system()};
    const std::vector<subscribe> bad{{{{topic::error}, {}, {}, {}}, subscriber_actor{}}};
    for (const auto& message : bad)
      request(self, target.topics(), caf::infinite, message)
          .receive([](const subscribed&) { FAIL_CHECK("it was accepted"); },
                   [](const caf::error& reason) { CHECK(reason == caf::sec::invalid_argument); });
  }
  CHECK(run_to_end(target).outcome == run_outcome::completed);
}

TEST_CASE("bad arguments: intervals, sides and codes out of a strategy are errors of its own") {
  const watchdog guard{};
  runtime target{quiet()};
  target.add_exchange(wave_exchange());
  target.add_frame(frame_of(hour_ms));
  const auto add = [&](const std::string& name, signal_function source) {
    target.add_strategy(strategy_of(name, std::move(source)));
  };
  add("interval", [](const run_context& now) {
    now.candles(beyond<interval>(), 1);
    return buy(now);
  });
  add("interval of those present", [](const run_context& now) {
    now.candles_present("OTHER", beyond<interval>(), 1);
    return buy(now);
  });
  add("side", [](const run_context& now) {
    auto request = buy(now);
    request->position = beyond<position_side>();
    return request;
  });
  add("code", [](const run_context&) -> std::optional<signal_request> {
    throw failure(beyond<error_code>(), "a code of my own");
  });
  heard_events heard{target, {topic::error}};
  auto run = target.backtest().background(
      request_of({"BTC"}, {"interval", "interval of those present", "side", "code"}));
  run.wait();
  const auto told = heard.of<error_event>();
  for (const auto& summary : run.summaries()) {
    CAPTURE(summary.identity->strategy_name);
    CHECK(summary.outcome == run_outcome::completed);
    CHECK(summary.counters.opened == 0);
    CHECK(summary.errors > 0);
  }
  for (const auto& problem : told)
    CHECK(to_string(problem.code) != "unknown");
}

TEST_CASE("bad arguments: a value that is none of an enumeration's is called unknown") {
  CHECK(to_string(beyond<error_code>()) == "unknown");
  CHECK(to_string(beyond<interval>()) == "unknown");
  CHECK(to_string(beyond<topic>()) == "unknown");
  CHECK(to_string(beyond<tick_action>()) == "unknown");
  CHECK(to_string(beyond<close_reason>()) == "unknown");
  CHECK(to_string(beyond<cancel_reason>()) == "unknown");
  CHECK(to_string(beyond<run_outcome>()) == "unknown");
  CHECK(to_string(beyond<metric_type>()) == "unknown");
  CHECK(to_string(beyond<operator_command>()) == "unknown");
  CHECK(to_string(beyond<sizing_method>()) == "unknown");
  CHECK(to_string(beyond<run_state>()) == "unknown");
  CHECK(to_string(beyond<store_space>()) == "unknown");
  CHECK(failure{beyond<error_code>(), "x"}.code() == error_code::invalid_argument);
  CHECK(interest::of(beyond<topic>()).empty());
  CHECK(interest::of(beyond<tick_action>()).empty());
}
