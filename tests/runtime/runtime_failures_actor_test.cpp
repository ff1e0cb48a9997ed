#include "tests/support/runtime_fixture.hpp"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

using namespace backtest;
using namespace backtest::testing;

namespace {

/// Answers, fails or dies with the question in hand, by the number of the question.
struct scripted_source_state {
  self_pointer<signal_source_actor, scripted_source_state> self = nullptr;
  std::function<std::string(int)> script; ///< "buy", "none", "problem" or "die"
  int asked = 0;
  std::vector<response_promise<generated_signal>> kept;

  void init(std::function<std::string(int)> given) { script = std::move(given); }

  signal_source_actor::behavior_type make_behavior() {
    return {[this](const generate_signal& message) -> caf::result<generated_signal> {
      const auto what = script(++asked);
      auto promise = promise_answer<generated_signal>(self);
      if (what == "die") {
        self->quit(caf::exit_reason::kill);
        kept.push_back(promise);
        return promise;
      }
      generated_signal answer;
      if (what == "buy") {
        request(self, message.market, caf::infinite,
                ask_candles{message.run.symbol, interval::m1, 1, message.when})
            .then([promise](const candle_list& list) mutable {
              signal_request wanted;
              wanted.price_take_profit = list.candles.back().close * 1.02;
              wanted.price_stop_loss = list.candles.back().close * 0.97;
              wanted.minute_estimated_time = 30;
              promise.deliver(generated_signal{wanted, std::nullopt});
            });
        return promise;
      }
      if (what == "problem")
        answer.problem = error{error_code::signal_source_failed, "the model is down"};
      promise.deliver(std::move(answer));
      return promise;
    }};
  }
};

} // namespace

TEST_CASE("signal source: whatever it throws is an error event, and the run goes on") {
  const watchdog guard{};
  for (const bool blocking : {false, true}) {
    CAPTURE(blocking);
    runtime target{quiet()};
    add_basics(target, [](const run_context& context) -> std::optional<signal_request> {
      switch ((context.when() - first_instant) / (15 * minute_ms)) {
      case 0: throw std::runtime_error("first");
      case 1: throw 5;
      case 2: context.candles(interval::m1, 1'000'000); return std::nullopt;
      case 3: {
        auto request = *buy(context);
        std::swap(request.price_stop_loss, request.price_take_profit);
        return request;
      }
      case 4: return buy(context);
      default: return std::nullopt;
      }
    });
    target.override_exchange("exchange", [](exchange_schema& s) {
      s.get_candles = [](const candle_query& query) {
        return wave(std::max(query.since, first_instant - day_ms), query.until);
      };
    });
    target.override_strategy("buyer", [&](strategy_schema& s) { s.blocking = blocking; });
    heard_events errors{target, {topic::error}};
    const auto summary = run_to_end(target);
    CHECK(summary.outcome == run_outcome::completed);
    CHECK(summary.counters.opened == 1);
    const auto told = errors.of<error_event>();
    REQUIRE(told.size() == 4);
    CHECK(told[0].code == error_code::signal_source_failed);
    CHECK(told[0].message == "first");
    CHECK(told[0].timestamp == first_instant);
    CHECK(told[0].run->strategy_name == "buyer");
    CHECK(told[1].code == error_code::signal_source_failed);
    CHECK(told[1].message.find("not a std::exception") != std::string::npos);
    CHECK(told[2].code == error_code::data_gap);
    CHECK(told[3].code == error_code::invalid_signal);
  }
}

TEST_CASE("signal source: blocking or not makes no difference to the result") {
  const watchdog guard{};
  runtime target{quiet()};
  add_basics(target);
  auto blocking = strategy_of("buyer-2");
  blocking.blocking = true;
  target.add_strategy(blocking);
  auto run = target.backtest().background(request_of({"BTC"}, {"buyer", "buyer-2"}));
  run.wait();
  const auto summaries = run.summaries();
  CHECK(summaries[0].counters.closed > 5);
  CHECK(summaries[0].counters == summaries[1].counters);
}

TEST_CASE("signal source: one that takes too long fails its run, and no other") {
  const watchdog guard{};
  auto options = quiet();
  options.parameters.max_signal_generation_seconds = 1;
  const auto held = std::make_shared<gate>(); // it is left to its call
  runtime target{options};
  add_basics(target);
  auto late = strategy_of("late", [held](const run_context& context) {
    held->pass();
    return buy(context);
  });
  late.blocking = true;
  target.add_strategy(late);
  auto run = target.backtest().background(request_of({"BTC"}, {"buyer", "late"}));
  run.wait();
  held->open();
  const auto summaries = run.summaries();
  CHECK(summaries[0].outcome == run_outcome::completed);
  CHECK(summaries[1].outcome == run_outcome::failed);
  REQUIRE(summaries[1].problem);
  CHECK(summaries[1].problem->code == error_code::signal_timeout);
  CHECK(summaries[1].problem->message.find("get_signal of late on BTC at 2024-01-01T00:00:00Z") ==
        0);
}

TEST_CASE("signal source: an actor answers, fails, and may die with a question in hand") {
  const watchdog guard{};
  runtime target{quiet()};
  target.add_exchange(wave_exchange());
  target.add_frame(frame_of(6 * 60 * minute_ms));
  const auto source = spawn_actor<scripted_source_state, signal_source_actor>(
      target.system(), nullptr, [](int number) -> std::string {
        return number == 1 ? "none" : number == 2 ? "problem" : number == 5 ? "die" : "buy";
      });
  target.add_strategy(strategy_of("asker"), source);
  heard_events errors{target, {topic::error}};
  const auto summary = run_to_end(target, request_of({"BTC"}, {"asker"}));
  CHECK(summary.outcome == run_outcome::completed);
  CHECK(summary.counters.opened == 2);
  const auto told = errors.of<error_event>();
  REQUIRE(told.size() > 3); // and one for every slot after its death
  CHECK(told[0].message == "the model is down");
  for (std::size_t i = 1; i < told.size(); ++i) {
    CHECK(told[i].code == error_code::signal_source_failed);
    CHECK(told[i].message.find("signal source of asker on BTC is gone") == 0);
  }
}

TEST_CASE("exchange: a fetch is tried three times, the runs that cannot have candles fail alone") {
  const watchdog guard{};
  tally flaky, dead;
  runtime target{quiet()};
  add_basics(target);
  target.override_exchange("exchange", [&](exchange_schema& s) {
    s.get_candles = [&](const candle_query& query) {
      if (query.symbol == "FLAKY" && flaky.add() <= 2)
        throw std::runtime_error("try again");
      if (query.symbol == "DEAD") {
        dead.add();
        throw 3;
      }
      auto candles = wave(query.since, query.until);
      if (query.symbol == "BAD")
        candles[candles.size() / 2].high = -1;
      return candles;
    };
  });
  heard_events told{target, {topic::exit, topic::done_backtest, topic::signal_backtest}};
  auto run = target.backtest().background(request_of({"BAD", "BTC", "DEAD", "FLAKY"}));
  run.wait();
  const auto summaries = run.summaries();
  CHECK(summaries[0].problem->code == error_code::bad_candles);
  CHECK(summaries[1].outcome == run_outcome::completed);
  CHECK(summaries[2].problem->code == error_code::fetch_failed);
  CHECK(summaries[2].problem->message.find("attempt 3 of 3") != std::string::npos);
  CHECK(dead.count() == 3);
  CHECK(summaries[3].outcome == run_outcome::completed);
  CHECK(summaries[3].counters == summaries[1].counters);
  std::set<std::string> exits;
  for (const auto& item : told.of<error_event>())
    exits.insert(item.run->symbol);
  CHECK(exits == std::set<std::string>{"BAD", "DEAD"});
  CHECK(told.of<done_event>().size() == 4);
}

TEST_CASE("exchange: candles a signal source needs and cannot have fail its run, blocking or not") {
  const watchdog guard{};
  for (const bool blocking : {false, true}) {
    CAPTURE(blocking);
    runtime target{quiet()};
    add_basics(target, [](const run_context& context) {
      context.candles("DEAD", interval::m1, 5);
      return std::optional<signal_request>{};
    });
    target.override_strategy("buyer", [&](strategy_schema& s) { s.blocking = blocking; });
    target.override_exchange("exchange", [](exchange_schema& s) {
      s.get_candles = [](const candle_query& query) {
        if (query.symbol == "DEAD")
          throw std::runtime_error("no such host");
        return wave(query.since, query.until);
      };
    });
    const auto summary = run_to_end(target);
    CHECK(summary.outcome == run_outcome::failed);
    REQUIRE(summary.problem);
    CHECK(summary.problem->code == error_code::fetch_failed);
    CHECK(summary.problem->message.find("no such host") != std::string::npos);
  }
}

TEST_CASE("exchange: a source that asks for more candles than there ever were has a gap at once") {
  const watchdog guard{};
  runtime target{quiet()};
  tally fetched;
  add_basics(
      target,
      [](const run_context& context) {
        context.candles(interval::m1, 1'000'000'000'000);
        return std::optional<signal_request>{};
      },
      0);
  target.override_exchange("exchange", [&](exchange_schema& s) {
    s.callbacks.on_candle_data = [&](auto&&...) { fetched.add(); };
  });
  heard_events errors{target, {topic::error}};
  CHECK(run_to_end(target).outcome == run_outcome::completed);
  CHECK(errors.count(error_code::data_gap) == 1);
  CHECK(fetched.count() < 10);
}

TEST_CASE("exchange: no candles, few candles and gaps never fail a run") {
  const watchdog guard{};
  runtime target{quiet()};
  add_basics(target, [](const run_context& context) {
    auto request = *buy(context);
    request.minute_estimated_time = 10; // idle again at the next slot
    return std::optional{request};
  });
  target.override_exchange("exchange", [](exchange_schema& s) {
    s.get_candles = [](const candle_query& query) {
      if (query.symbol == "EMPTY")
        return std::vector<candle>{};
      auto candles = wave(query.since, query.until);
      std::erase_if(candles, [&](const candle& c) {
        return query.symbol == "SHORT" ? c.open_time >= first_instant + 6 * 60 * minute_ms
                                       : c.open_time / minute_ms % 60 < 20;
      });
      return candles;
    };
  });
  heard_events errors{target, {topic::error}};
  auto run = target.backtest().background(request_of({"EMPTY", "GAPS", "SHORT"}));
  run.wait();
  const auto summaries = run.summaries();
  for (const auto& summary : summaries)
    CHECK(summary.outcome == run_outcome::completed);
  CHECK(summaries[0].counters.opened == 0);
  CHECK(summaries[1].counters.closed > 5);
  CHECK(summaries[1].gaps == 24 * 20);
  CHECK(summaries[2].counters.closed > 1);
  CHECK(errors.count(error_code::data_ended) == 2);
  // From a quarter past every hour until a candle closes at 21: the slot is not used up.
  CHECK(errors.count(error_code::data_gap) == 24 * 6);
}

TEST_CASE("exchange: its callback hears every fetch, and what it throws is an error event") {
  const watchdog guard{};
  tally heard;
  runtime target{quiet()};
  add_basics(target);
  target.override_exchange("exchange", [&](exchange_schema& s) {
    s.callbacks.on_candle_data = [&](const std::string& symbol, interval size, instant since,
                                     std::span<const candle> data) {
      heard.add();
      CHECK(symbol == "BTC");
      CHECK(size == interval::m1);
      CHECK((data.empty() || data.front().open_time >= since));
      throw std::runtime_error("from on_candle_data");
    };
  });
  target.override_frame("frame", [](frame_schema& s) {
    s.callbacks.on_timeframe = [](instant, instant, std::int64_t count) {
      CHECK(count == 1441);
      throw std::runtime_error("from on_timeframe");
    };
  });
  heard_events errors{target, {topic::error}};
  CHECK(run_to_end(target).outcome == run_outcome::completed);
  CHECK(heard.count() >= 3); // one UTC day each
  CHECK(errors.count(error_code::callback_failed) == static_cast<std::size_t>(heard.count()) + 1);
}

TEST_CASE("exchange: a source sees other symbols and larger intervals") {
  const watchdog guard{};
  std::vector<std::string> problems;
  runtime target{quiet()};
  add_basics(target, [&](const run_context& context) -> std::optional<signal_request> {
    const auto hour = context.candles("ETH", interval::h1, 3);
    const auto minutes = context.candles(interval::m1, 180);
    if (hour.size() != 3 || minutes.size() != 180)
      problems.emplace_back("size");
    if (hour.back().open_time + 60 * minute_ms > context.when())
      problems.emplace_back("a candle that is not closed");
    if (hour.back().open != wave_price(hour.back().open_time))
      problems.emplace_back("open");
    if (context.average_price("ETH") != context.average_price())
      problems.emplace_back("price");
    return std::nullopt;
  });
  heard_events errors{target, {topic::error}};
  CHECK(run_to_end(target).outcome == run_outcome::completed);
  CHECK(problems.empty());
  CHECK(errors.all().empty());
}

TEST_CASE("risk: a rule that throws is told on validation, then the rejection on risk") {
  const watchdog guard{};
  runtime target{quiet()};
  add_basics(target);
  risk_schema risk;
  risk.risk_name = "broken";
  risk.validations.push_back(
      {[](const risk_question&) -> std::optional<std::string> { throw 1; }, ""});
  risk.callbacks.on_rejected = [](const risk_question&) {
    throw std::runtime_error("on_rejected");
  };
  target.add_risk(risk);
  target.override_strategy("buyer", [](strategy_schema& s) { s.risk_list = {"broken"}; });
  heard_events heard{target, {topic::validation, topic::risk, topic::error}};
  const auto summary = run_to_end(target);
  CHECK(summary.counters.opened == 0);
  CHECK(summary.counters.risk_rejections == 97); // every slot of the day, both ends
  const auto events = heard.all();
  REQUIRE(events.size() == 3 * 97);
  for (std::size_t i = 0; i < events.size(); i += 3) {
    CHECK(std::get<error_event>(events[i].payload).code == error_code::callback_failed);
    CHECK(events[i + 1].on == topic::validation);
    const auto& rejected = std::get<risk_event>(events[i + 2].payload);
    CHECK(rejected.risk_name == "broken");
    CHECK(rejected.comment == "something that is not a std::exception");
    CHECK(rejected.active_position_count == 0);
  }
}

TEST_CASE("callbacks: in the order things happen, and what they throw stops nothing") {
  const watchdog guard{};
  std::vector<std::string> calls;
  runtime target{quiet()};
  add_basics(target, [](const run_context& context) {
    return context.when() == first_instant ? buy(context) : std::nullopt;
  });
  target.override_strategy("buyer", [&](strategy_schema& s) {
    const auto note = [&calls](std::string name) {
      return [&calls, name](const auto&...) {
        calls.push_back(name);
        throw std::runtime_error(name);
      };
    };
    s.callbacks.on_open = note("on_open");
    s.callbacks.on_close = note("on_close");
    s.callbacks.on_write = note("on_write");
    s.callbacks.on_schedule = note("on_schedule");
    s.callbacks.on_cancel = note("on_cancel");
  });
  heard_events errors{target, {topic::error}};
  const auto summary = run_to_end(target);
  CHECK(summary.counters.closed == 1);
  CHECK(calls == std::vector<std::string>{"on_write", "on_open", "on_close", "on_write"});
  CHECK(errors.count(error_code::callback_failed) == 4);
}

TEST_CASE("signal ids: a source may give every signal the same one") {
  const watchdog guard{};
  runtime target{quiet()};
  add_basics(target, [](const run_context& context) {
    auto request = *buy(context);
    request.id = "mine";
    return std::optional{request};
  });
  target.add_strategy(strategy_of("own-ids"));
  heard_events same{target, {topic::partial_profit}};
  auto run = target.backtest().background(request_of({"A", "B"}, {"buyer", "own-ids"}));
  run.wait();
  for (const auto& summary : run.summaries())
    CHECK(summary.outcome == run_outcome::completed);
  std::map<std::string, int> levels;
  for (const auto& item : same.of<partial_event>())
    ++levels[fmt::format("{} {}", item.run->strategy_name, item.run->symbol)];
  CHECK(levels.size() == 4);
  for (const auto& of_run : levels) {
    CAPTURE(of_run.first);
    CHECK(of_run.second == levels["own-ids A"]); // each signal has its own levels
  }
}
