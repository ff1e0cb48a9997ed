#include "tests/support/hosted_runtime.hpp"
#include "tests/support/live_fixture.hpp"
#include "tests/support/walker_fixture.hpp"

#include <optional>

using namespace backtest;
using namespace backtest::testing;

namespace {

/// Asks from inside an actor that shares the one thread there is, one question after the other.
class asking_service {
public:
  explicit asking_service(runtime& target) : target_(target), facade_(target.actor()) {}

  /// The answer; what came instead of one throws.
  template <class Answer, class Message>
  Answer ask(Message message) {
    struct outcome {
      std::optional<Answer> answer;
      std::string problem;
      tally over;
    };
    const auto kept = std::make_shared<outcome>();
    target_.system().spawn(
        [kept, facade = facade_, message = std::move(message)](caf::event_based_actor* self) {
          request(self, facade, caf::infinite, message)
              .then(
                  [kept](const Answer& answer) {
                    kept->answer = answer;
                    kept->over.add();
                  },
                  [kept](const caf::error& reason) {
                    kept->problem = "no answer: " + backtest::text_of(reason);
                    kept->over.add();
                  });
        });
    kept->over.wait_for(1);
    if (!kept->answer)
      throw std::runtime_error(kept->problem);
    return *kept->answer;
  }

private:
  runtime& target_;
  runtime_actor facade_;
};

runtime_options one_thread_with_reports() {
  auto options = quiet(1);
  options.reports = report_set::all();
  return options;
}

/// "buyer" and its like, a walker and a sizing.
void add_everything(runtime& target) {
  add_rivals(target, day_ms);
  target.add_walker(walker_of({"low", "middle", "silent"}));
  sizing_schema sizing;
  sizing.sizing_name = "one_percent";
  sizing.risk_percentage = 1;
  target.add_sizing(sizing);
}

} // namespace

TEST_CASE("runtime actor: a service on the only thread runs a backtest and reads what came of it") {
  const watchdog guard{};
  hosted_runtime hosted{every_host(), one_thread_with_reports()};
  runtime& target = *hosted;
  add_everything(target);
  asking_service service{target};
  const auto ended = service.ask<run_ended>(run_backtest{request_of({"BTC", "ETH"})});
  CHECK(!ended.problem);
  CHECK(ended.id > 0);
  REQUIRE(ended.summaries.size() == 2);
  CHECK(ended.summaries[0].identity->symbol == "BTC");
  CHECK(ended.summaries[1].identity->symbol == "ETH");
  CHECK(ended.summaries[0].counters.closed > 5);

  const auto data = service.ask<backtest_data>(ask_backtest_data{"BTC", "buyer"});
  REQUIRE(data.data);
  CHECK(data.data->statistics.total_signals == ended.summaries[0].counters.closed);
  CHECK(service.ask<run_statistics>(ask_run_statistics{"BTC", "buyer", run_mode::backtest})
            .statistics.total_signals == ended.summaries[0].counters.closed);
  for (const auto kind :
       {report_kind::backtest, report_kind::live, report_kind::schedule, report_kind::performance,
        report_kind::partial, report_kind::risk, report_kind::heat}) {
    const auto text =
        service.ask<report_text>(ask_report_text{kind, "BTC", "buyer", run_mode::backtest});
    CHECK(!text.problem);
    CHECK(!text.markdown.empty());
  }
  CHECK(service
            .ask<report_text>(
                ask_report_text{report_kind::backtest, "BTC", "buyer", run_mode::backtest})
            .markdown == target.backtest().get_report("BTC", "buyer"));
  CHECK(service
            .ask<sized_position>(
                size_position{"one_percent", "BTC", fixed_percentage_size{10'000, 100, 98}})
            .quantity == 50);
  const auto listed = service.ask<run_list>(ask_runs{run_kind::backtest});
  CHECK(listed.runs.size() == 2);
  const auto status =
      service.ask<run_status_told>(ask_run_status{run_kind::backtest, "BTC", "buyer"});
  CHECK(status.status.state == run_state::fulfilled);
  CHECK(status.status.id == ended.id);
}

TEST_CASE("runtime actor: a run in the background is answered at once, stopped and awaited") {
  const watchdog guard{};
  gate first;
  runtime target{quiet(1)};
  target.add_exchange(wave_exchange());
  target.add_frame(frame_of(day_ms));
  auto slow = strategy_of("buyer", [&](const run_context& now) {
    first.pass();
    return buy(now);
  });
  slow.blocking = true; // the only thread stays free
  target.add_strategy(slow);
  asking_service service{target};
  const auto begun = service.ask<run_begun>(begin_backtest{request_of()});
  CHECK(!begun.problem);
  first.wait_for_arrival();
  CHECK(service.ask<run_status_told>(ask_run_status{run_kind::backtest, "BTC", "buyer"})
            .status.is_running());
  CHECK(service.ask<run_begun>(begin_backtest{request_of()}).problem->code ==
        error_code::already_running);
  CHECK(!service.ask<run_stop_told>(stop_run{run_kind::backtest, "BTC", "buyer"}).problem);
  first.open();
  const auto ended = service.ask<run_ended>(await_run{run_kind::backtest, "BTC", "buyer"});
  CHECK(ended.id == begun.id);
  REQUIRE(ended.summaries.size() == 1);
  CHECK(ended.summaries[0].outcome == run_outcome::stopped);
  // and once more, when it is over
  CHECK(service.ask<run_ended>(await_run{run_kind::backtest, "BTC", "buyer"}).id == begun.id);
}

TEST_CASE("runtime actor: a walker") {
  const watchdog guard{};
  runtime target{one_thread_with_reports()};
  add_everything(target);
  asking_service service{target};
  const auto ended = service.ask<run_ended>(run_walker{"BTC", "compare"});
  CHECK(!ended.problem);
  REQUIRE(ended.summaries.size() == 3);
  CHECK(ended.summaries[1].identity->strategy_name == "middle");
  const auto data = service.ask<walker_data>(ask_walker_data{"BTC", "compare"});
  REQUIRE(data.data);
  CHECK(data.data->best_strategy == "middle");
  CHECK(service.ask<report_text>(ask_walker_text{"BTC", "compare"}).markdown ==
        target.walker().get_report("BTC", "compare"));
  const auto begun = service.ask<run_begun>(begin_walker{"ETH", "compare"});
  CHECK(begun.id > ended.id);
  CHECK(service.ask<run_ended>(await_run{run_kind::walker, "ETH", "compare"}).id == begun.id);
  CHECK(service.ask<run_list>(ask_runs{run_kind::walker}).runs.size() == 2);
  CHECK(service.ask<run_status_told>(ask_run_status{run_kind::walker, "ETH", "compare"})
            .status.state == run_state::fulfilled);
  CHECK(!service.ask<run_stop_told>(stop_run{run_kind::walker, "ETH", "compare"}).problem);
}

TEST_CASE("runtime actor: a live run is controlled and stopped") {
  const watchdog guard{};
  const test_disk disk;
  auto options = on(disk, 1);
  runtime target{std::move(options)};
  add_basics(target);
  asking_service service{target};
  const auto clock = std::make_shared<manual_clock>(first_instant + settled);
  CHECK(!service.ask<run_begun>(begin_live{one_buyer(clock)}).problem);
  clock->wait_for_alarm_at(first_instant + minute_ms + settled);
  std::optional<run_controlled> paused;
  std::thread operating{[&] {
    paused = service.ask<run_controlled>(control_run{"buyer", "BTC", operator_command::pause});
  }};
  // The command comes with one of the next minutes; the run asks for the alarm of each.
  heard_events told{target, {topic::control}};
  for (instant at = first_instant + minute_ms; told.all().empty(); at += minute_ms) {
    clock->set(at + settled);
    clock->wait_for_alarm_at(at + minute_ms + settled);
  }
  operating.join();
  CHECK(!paused->problem);
  CHECK(!service.ask<run_statistics>(ask_run_statistics{"BTC", "buyer", run_mode::live}).problem);
  CHECK(!service.ask<run_stop_told>(stop_run{run_kind::live, "BTC", "buyer"}).problem);
  const auto missing =
      service.ask<run_controlled>(control_run{"buyer", "ETH", operator_command::pause});
  REQUIRE(missing.problem);
  CHECK(missing.problem->code == error_code::invalid_argument);
}

TEST_CASE("runtime actor: what the facade would throw is the problem of the answer") {
  const watchdog guard{};
  runtime target{quiet(1)};
  add_everything(target);
  asking_service service{target};
  const auto unknown = request_of({"BTC"}, {"nobody"});
  const error nobody{error_code::not_found, "strategy nobody not found source=run_backtest"};
  CHECK(service.ask<run_ended>(run_backtest{unknown}).problem == nobody);
  CHECK(service.ask<run_begun>(begin_backtest{unknown}).problem->code == error_code::not_found);
  CHECK(service.ask<run_begun>(begin_live{{{"BTC"}, {"nobody"}, "exchange", {}, {}, {}, {}, {}}})
            .problem->code == error_code::not_found);
  CHECK(service.ask<run_ended>(run_walker{"BTC", "nobody"}).problem->code == error_code::not_found);
  CHECK(service.ask<run_begun>(begin_walker{"BTC", "nobody"}).problem->code ==
        error_code::not_found);
  CHECK(service.ask<backtest_data>(ask_backtest_data{"BTC", "nobody"}).problem->code ==
        error_code::not_found);
  CHECK(service.ask<sized_position>(size_position{"nobody", "BTC", kelly_criterion_size{}})
            .problem->code == error_code::not_found);
  const auto never_ran = service.ask<run_ended>(await_run{run_kind::backtest, "BTC", "buyer"});
  CHECK(never_ran.problem == error{error_code::not_found, "await_run: buyer on BTC never ran"});
  CHECK(service.ask<run_list>(ask_runs{static_cast<run_kind>(9)}).problem ==
        error{error_code::invalid_argument,
              "ask_runs: kind 9 is none, expected backtest, live or walker"});
  CHECK(service
            .ask<report_text>(
                ask_report_text{static_cast<report_kind>(9), "BTC", "buyer", run_mode::backtest})
            .problem->code == error_code::invalid_argument);
}

TEST_CASE("runtime actor: whatever a column throws is the problem of the answer, and the next "
          "question is answered") {
  const watchdog guard{};
  runtime target{quiet(1)};
  add_everything(target);
  column_overrides broken;
  broken.backtest = column_list<tick_result>{
      {"who", "Who", [](const tick_result&, std::size_t) -> std::string { throw 5; }}};
  target.set_columns(broken);
  asking_service service{target};
  CHECK_FALSE(service.ask<run_ended>(run_backtest{request_of()}).problem);
  const ask_report_text question{report_kind::backtest, "BTC", "buyer", run_mode::backtest};
  for (int attempt = 0; attempt < 2; ++attempt)
    CHECK(service.ask<report_text>(question).problem ==
          error{error_code::actor_failed, "something was thrown that is not a std::exception"});
}

TEST_CASE("runtime actor: who waits when the runtime ends is told") {
  const watchdog guard{};
  own_actor_system host{1};
  const auto held = std::make_shared<gate>();
  auto target = std::make_unique<runtime>(host.get(), quiet(1));
  target->add_exchange(wave_exchange());
  target->add_frame(frame_of(day_ms));
  auto slow = strategy_of("buyer", [held](const run_context& now) {
    held->pass();
    return buy(now);
  });
  slow.blocking = true;
  target->add_strategy(slow);
  const auto facade = target->actor();
  tally answered;
  bool is_error = false;
  host.get().spawn([&](caf::event_based_actor* self) {
    request(self, facade, caf::infinite, run_backtest{request_of()})
        .then([&](const run_ended&) { answered.add(); },
              [&](const caf::error&) {
                is_error = true;
                answered.add();
              });
  });
  held->wait_for_arrival();
  target.reset();
  answered.wait_for(1);
  CHECK(is_error);
  held->open();
}
