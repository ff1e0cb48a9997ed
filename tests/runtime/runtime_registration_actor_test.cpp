#include "tests/support/runtime_fixture.hpp"

using namespace backtest;
using namespace backtest::testing;

namespace {

template <class Action>
std::string text_of_failure(Action&& action) {
  return failure_of(std::forward<Action>(action)).message;
}

risk_schema risk_of(const std::string& name) {
  risk_schema schema;
  schema.risk_name = name;
  return schema;
}

} // namespace

TEST_CASE("registration: a name is taken once per kind") {
  runtime target{quiet()};
  add_basics(target);
  target.add_risk(risk_of("risk"));
  sizing_schema sizing;
  sizing.sizing_name = "sizing";
  sizing.risk_percentage = 1;
  walker_schema walker{"walker", "", "exchange", "frame", {"buyer"}};
  target.add_sizing(sizing);
  target.add_walker(walker);
  CHECK(text_of_failure([&] { target.add_exchange(wave_exchange()); }) ==
        "exchange exchange already exist");
  CHECK(text_of_failure([&] { target.add_frame(frame_of(day_ms)); }) ==
        "frame frame already exist");
  CHECK(text_of_failure([&] { target.add_strategy(strategy_of("buyer")); }) ==
        "strategy buyer already exist");
  CHECK(text_of_failure([&] { target.add_risk(risk_of("risk")); }) == "risk risk already exist");
  CHECK(text_of_failure([&] { target.add_sizing(sizing); }) == "sizing sizing already exist");
  CHECK(text_of_failure([&] { target.add_walker(walker); }) == "walker walker already exist");
  target.add_risk(risk_of("buyer")); // another kind
  walker.walker_name = "vain";
  walker.metric = "beauty";
  CHECK(text_of_failure([&] { target.add_walker(walker); })
            .starts_with("walker vain: metric must be one of sharpe_ratio, "));
  CHECK(text_of_failure([&] {
          target.override_walker("walker", [](walker_schema& changed) { changed.metric = ""; });
        }).ends_with(", got \"\""));
}

TEST_CASE("registration: what fails its check is not registered, and may be corrected") {
  runtime target{quiet()};
  auto strategy = strategy_of("s");
  strategy.get_signal = {};
  CHECK(text_of_failure([&] { target.add_strategy(strategy); }) ==
        "strategy s: get_signal must be a function");
  CHECK(target.list_strategies().empty());
  strategy.get_signal = buy;
  strategy.size = interval::h4;
  CHECK(failure_of([&] { target.add_strategy(strategy); }).code == error_code::invalid_argument);
  strategy.size = interval::h1;
  strategy.risk_name = "r";
  strategy.risk_list = {"r"};
  CHECK(text_of_failure([&] { target.add_strategy(strategy); }).find("names r twice") !=
        std::string::npos);
  strategy.risk_list = {"unknown"}; // looked up when a run starts
  target.add_strategy(strategy);
  CHECK(target.list_strategies().size() == 1);
  CHECK(failure_of([&] { target.add_exchange({}); }).code == error_code::invalid_argument);
  CHECK(failure_of([&] { target.add_frame(frame_of(-minute_ms)); }).code ==
        error_code::invalid_argument);
  CHECK(failure_of([&] { target.add_strategy(strategy_of("t"), signal_source_actor{}); }).code ==
        error_code::invalid_argument);
  target.add_strategy(strategy_of("a"));
  CHECK(target.list_strategies()[1].strategy_name == "a"); // in the order of registration
}

TEST_CASE("registration: unknown names are told with kind and operation, and nothing begins") {
  runtime target{quiet()};
  add_basics(target);
  auto guarded = strategy_of("guarded");
  guarded.risk_name = "no risk";
  target.add_strategy(guarded);
  const auto run = [&](backtest_request request) {
    return text_of_failure([&] { target.backtest().background(request); });
  };
  CHECK(run(request_of({"BTC"}, {"nobody"})) ==
        "strategy nobody not found source=backtest.background");
  CHECK(run(request_of({"BTC"}, {"guarded"})) ==
        "risk no risk not found source=backtest.background, named by strategy guarded");
  CHECK(run({{"BTC"}, {"buyer"}, "nowhere", "frame"}) ==
        "exchange nowhere not found source=backtest.background");
  CHECK(run({{"BTC"}, {"buyer"}, "exchange", "never"}) ==
        "frame never not found source=backtest.background");
  CHECK(failure_of([&] { target.backtest().background(request_of({}, {"buyer"})); }).code ==
        error_code::invalid_argument);
  CHECK(failure_of([&] {
          target.backtest().background(request_of({"A", "A"}));
        }).code == error_code::invalid_argument);
  CHECK(text_of_failure([&] { target.backtest().run(request_of({"BTC"}, {"nobody"})); }) ==
        "strategy nobody not found source=backtest.run");
  CHECK(text_of_failure([&] { target.backtest().stop("BTC", "nobody"); }) ==
        "strategy nobody not found source=backtest.stop");
  CHECK(text_of_failure([&] { target.backtest().status("BTC", "nobody"); }) ==
        "strategy nobody not found source=backtest.status");
  CHECK(text_of_failure([&] { target.backtest().get_data("BTC", "nobody"); }) ==
        "strategy nobody not found source=backtest.get_data");
  CHECK(text_of_failure([&] { target.backtest().get_report("BTC", "guarded"); }) ==
        "risk no risk not found source=backtest.get_report, named by strategy guarded");
  CHECK(text_of_failure([&] { target.get_walker("w"); }) == "walker w not found source=get_walker");
  CHECK(target.backtest().list().empty());
}

TEST_CASE("registration: what a schema names may come after it") {
  const watchdog guard{};
  runtime target{quiet()};
  add_basics(target);
  auto guarded = strategy_of("guarded");
  guarded.risk_name = "later";
  target.add_strategy(guarded);
  walker_schema walker;
  walker.walker_name = "early";
  walker.exchange_name = "elsewhere";
  walker.frame_name = "frame";
  walker.strategies = {"guarded"};
  target.add_walker(walker);
  const auto walk = [&] {
    return text_of_failure([&] { target.walker().background("BTC", "early"); });
  };
  CHECK(walk() == "risk later not found source=walker.background, named by strategy guarded");
  target.add_risk(risk_of("later"));
  CHECK(run_to_end(target, request_of({"BTC"}, {"guarded"})).counters.closed > 0);
  CHECK(walk() == "exchange elsewhere not found source=walker.background, named by walker early");
}

TEST_CASE("registration: of a set that is refused nothing is registered") {
  runtime target{quiet()};
  add_basics(target);
  schema_set set;
  set.risks = {risk_of("new")};
  set.strategies = {strategy_of("fresh"), strategy_of("buyer")};
  CHECK(text_of_failure([&] { target.add(set); }) == "strategy buyer already exist");
  set.strategies = {strategy_of("fresh"), strategy_of("fresh")};
  CHECK(text_of_failure([&] { target.add(set); }) == "strategy fresh already exist");
  CHECK(target.list_risks().empty());
  CHECK(target.list_strategies().size() == 1);
  set.strategies.pop_back();
  target.add(set);
  CHECK(target.list_risks().size() == 1);
  CHECK(target.list_strategies().size() == 2);
}

TEST_CASE("override: changes a schema, checks it, and changes nothing where it fails") {
  const watchdog guard{};
  tally fetched;
  runtime target{quiet()};
  add_basics(target);
  CHECK(run_to_end(target).counters.closed > 0);
  CHECK(failure_of([&] { target.override_strategy("nobody", [](strategy_schema&) {}); }).code ==
        error_code::not_found);
  CHECK(failure_of([&] {
          target.override_strategy("buyer", [](strategy_schema& s) {
            s.note = "half done";
            s.get_signal = {};
          });
        }).code == error_code::invalid_argument);
  CHECK(target.get_strategy("buyer").note.empty());
  CHECK(failure_of([&] {
          target.override_strategy("buyer", [](strategy_schema& s) {
            s.strategy_name = "renamed";
            s.get_signal = never;
          });
        }) == error{error_code::invalid_argument,
                    "strategy buyer: an override must keep the name, got \"renamed\"; expected "
                    "add_strategy for another strategy"});
  CHECK(target.list_strategies().front().strategy_name == "buyer");
  CHECK(run_to_end(target).counters.closed > 0);
  target.override_strategy("buyer", [](strategy_schema& s) { s.get_signal = never; });
  CHECK(run_to_end(target).counters.closed == 0);
  target.override_frame("frame", [](frame_schema& f) { f.end = f.start; });
  CHECK(run_to_end(target).instants == 1);
  target.override_exchange("exchange", [&](exchange_schema& s) {
    s.callbacks.on_candle_data = [&](auto&&...) { fetched.add(); };
  });
  run_to_end(target);
  CHECK(fetched.count() > 0); // the client that was cached is not used again
}

TEST_CASE("config: is checked, and rolled back where it is wrong") {
  runtime target{quiet()};
  const auto before = target.get_config();
  auto wrong = before;
  wrong.percent_fee = -1;
  wrong.avg_price_candles_count = 0;
  const auto reason = failure_of([&] { target.set_config(wrong); });
  CHECK(reason.code == error_code::invalid_configuration);
  CHECK(reason.message.find("percent_fee") != std::string::npos);
  CHECK(reason.message.find("avg_price_candles_count") != std::string::npos);
  CHECK(target.get_config() == before);
  target.reset_config();
  CHECK(target.get_config() == configuration{});
  CHECK(failure_of([&] {
          auto options = quiet();
          options.parameters.percent_fee = -1;
          runtime none{options};
        }).code == error_code::invalid_configuration);
}

TEST_CASE("logger: replaced at any time, and its own failures are nobody's") {
  const watchdog guard{};
  struct throwing_log final : logger {
    bool enabled(log_level) const noexcept override { return true; }
    void write(log_level, std::string_view, std::string_view, const log_context&) override {
      ++written;
      throw std::runtime_error("disk full");
    }
    std::atomic<int> written{0};
  };
  runtime target{quiet()};
  add_basics(target, [](const run_context& context) -> std::optional<signal_request> {
    if (context.when() == first_instant + 15 * minute_ms)
      throw std::runtime_error("from the source");
    return std::nullopt;
  });
  const auto thrower = std::make_shared<throwing_log>();
  target.set_logger(thrower);
  CHECK(run_to_end(target).outcome == run_outcome::completed);
  target.flush();
  CHECK(thrower->written > 0);
  const auto kept = std::make_shared<kept_log>(log_level::debug);
  target.set_logger(kept);
  target.set_logger(nullptr); // ignored
  run_to_end(target);
  target.flush();
  CHECK(kept->has("from the source"));
  CHECK(kept->has("buyer exchange frame BTC 2024-01-01T00:15:00Z backtest"));
  CHECK(kept->has("1 strategies on 1 symbols"));
}
