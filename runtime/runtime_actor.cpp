#include "runtime/runtime_actor.hpp"

#include "actors/publisher/publisher_actor.hpp"
#include "runtime/report_access.hpp"
#include "runtime/walk.hpp"

#include <exception>
#include <map>

#include <fmt/format.h>

namespace backtest {

namespace {

template <class Work>
std::optional<error> problem_of_question(Work&& work) {
  try {
    work();
    return std::nullopt;
  } catch (const failure& caught) {
    return caught.reason();
  } catch (const std::exception& caught) {
    return error{error_code::actor_failed, caught.what()};
  } catch (...) { // of a user's column, say; the actor must go on answering
    return error{error_code::actor_failed, "something was thrown that is not a std::exception"};
  }
}

template <class Enum>
[[noreturn]] void throw_unknown(std::string_view message, Enum value, std::string_view expected) {
  throw failure(
      error_code::invalid_argument,
      fmt::format("{}: kind {} is none, expected {}", message, static_cast<int>(value), expected));
}

/// Calls `on_runs` with the mode of a kind, or `on_walkers`; throws for what is no kind.
template <class OnRuns, class OnWalkers>
void dispatch(run_kind kind, std::string_view message, OnRuns&& on_runs, OnWalkers&& on_walkers) {
  switch (kind) {
  case run_kind::backtest: return on_runs(run_mode::backtest);
  case run_kind::live: return on_runs(run_mode::live);
  case run_kind::walker: return on_walkers();
  }
  throw_unknown(message, kind, "backtest, live or walker");
}

struct runtime_front_state {
  /// Somebody waits for a run's end.
  struct awaited_run {
    response_promise<run_ended> promise;
    std::shared_ptr<portfolio_record> record;
    std::shared_ptr<walk> walked; ///< of a walker
  };

  self_pointer<runtime_front_actor, runtime_front_state> self = nullptr;
  runtime_core* core = nullptr;
  runtime_starter_actor starter;
  runtime_reporter_actor reporter;
  std::map<std::uint64_t, awaited_run> awaited;
  /// Of every question that waits in here; an actor that ends leaves its promises unanswered.
  std::map<std::uint64_t, std::function<void(const caf::error&)>> refusals;
  std::uint64_t last_number = 0;

  void init(runtime_core* of, runtime_starter_actor starts, runtime_reporter_actor reports) {
    core = of;
    starter = std::move(starts);
    reporter = std::move(reports);
  }

  runtime_front_actor::behavior_type make_behavior() {
    return {
        [this](const begin_backtest& message) {
          run_begun answer;
          answer.problem = problem_of_question([&] {
            answer.id = core->start(message.request, false, "begin_backtest").record->id();
          });
          return answer;
        },
        [this](begin_live& message) { return pass_on(self, starter, std::move(message)); },
        [this](begin_walker& message) -> caf::result<run_begun> {
          auto promise = promise_answer<run_begun>(self);
          start_walker({std::move(message.symbol), std::move(message.walker_name)}, promise,
                       [promise](const std::shared_ptr<walk>& begun) mutable {
                         promise.deliver(run_begun{begun->record().id(), std::nullopt});
                       });
          return promise;
        },
        [this](const run_backtest& message) -> caf::result<run_ended> {
          auto promise = promise_answer<run_ended>(self);
          std::shared_ptr<portfolio_record> record;
          if (auto problem = problem_of_question(
                  [&] { record = core->start(message.request, false, "run_backtest").record; }))
            promise.deliver(run_ended{0, {}, std::move(problem)});
          else
            answer_at_end({promise, std::move(record), nullptr});
          return promise;
        },
        [this](run_walker& message) -> caf::result<run_ended> {
          auto promise = promise_answer<run_ended>(self);
          start_walker(std::move(message), promise,
                       [this, promise](const std::shared_ptr<walk>& begun) {
                         answer_at_end({promise, begun->shared_record(), begun});
                       });
          return promise;
        },
        [this](const await_run& message) -> caf::result<run_ended> {
          awaited_run question{promise_answer<run_ended>(self), nullptr, nullptr};
          auto promise = question.promise;
          if (auto problem = problem_of_question([&] { find(message, question); }))
            promise.deliver(run_ended{0, {}, std::move(problem)});
          else
            answer_at_end(std::move(question));
          return promise;
        },
        [this](const stop_run& message) {
          return run_stop_told{problem_of_question([&] {
            dispatch(
                message.kind, "stop_run",
                [&](run_mode mode) {
                  check_strategy(*core, message.name, "stop_run");
                  core->stop(message.symbol, message.name, mode);
                },
                [&] { walker_runs{*core}.stop(message.symbol, message.name); });
          })};
        },
        [this](const ask_runs& message) {
          run_list answer;
          answer.problem = problem_of_question([&] {
            dispatch(
                message.kind, "ask_runs",
                [&](run_mode mode) { answer.runs = core->statuses(mode); },
                [&] { answer.runs = core->walker_statuses(); });
          });
          return answer;
        },
        [this](const ask_run_status& message) {
          run_status_told answer;
          answer.problem = problem_of_question([&] {
            dispatch(
                message.kind, "ask_run_status",
                [&](run_mode mode) {
                  check_strategy(*core, message.name, "ask_run_status");
                  answer.status = core->status(message.symbol, message.name, mode);
                },
                [&] { answer.status = walker_runs{*core}.status(message.symbol, message.name); });
          });
          return answer;
        },
        [this](ask_report_text& message) { return pass_on(self, reporter, std::move(message)); },
        [this](ask_walker_text& message) { return pass_on(self, reporter, std::move(message)); },
        [this](ask_backtest_data& message) { return pass_on(self, reporter, std::move(message)); },
        [this](ask_walker_data& message) { return pass_on(self, reporter, std::move(message)); },
        [this](ask_run_statistics& message) { return pass_on(self, reporter, std::move(message)); },
        [this](const control_run& message) { return control(message); },
        [this](size_position& message) { return pass_on(self, reporter, std::move(message)); },
        [this](const run_over& message) { tell_end(message.number); },
        [this](const end_facade&) {
          for (const auto& [number, refuse] : refusals)
            refuse(caf::make_error(caf::exit_reason::user_shutdown));
          self->quit(caf::exit_reason::user_shutdown);
        },
    };
  }

  /// Its number; forgotten once it is answered.
  template <class Answer>
  std::uint64_t remember(response_promise<Answer> promise) {
    const auto number = ++last_number;
    refusals.emplace(number,
                     [promise](const caf::error& reason) mutable { promise.deliver(reason); });
    return number;
  }

  /// `promise` hears why there is no walker; `on_begun` of the walker.
  template <class Answer, class OnBegun>
  void start_walker(run_walker message, response_promise<Answer> promise, OnBegun on_begun) {
    const auto number = remember(promise);
    request(self, starter, caf::infinite, std::move(message))
        .then(
            [this, number, promise, on_begun](walker_begun& answer) mutable {
              refusals.erase(number);
              if (answer.begun)
                return on_begun(answer.begun);
              Answer refused;
              refused.problem = std::move(answer.problem);
              promise.deliver(std::move(refused));
            },
            [this, number, promise](const caf::error& reason) mutable {
              refusals.erase(number);
              promise.deliver(reason);
            });
  }

  void answer_at_end(awaited_run run) {
    const auto number = remember(run.promise);
    const auto record = run.record;
    awaited.emplace(number, std::move(run));
    record->when_finished(
        [me = weak_handle<runtime_front_actor>{runtime_front_actor{self}}, number] {
          if (auto strong = me.lock())
            send_anonymously(strong, run_over{number});
        });
  }

  void tell_end(std::uint64_t number) {
    const auto found = awaited.find(number);
    auto& run = found->second;
    run.promise.deliver(run_ended{run.record->id(),
                                  run.walked ? run.walked->summaries() : run.record->summaries(),
                                  std::nullopt});
    awaited.erase(found);
    refusals.erase(number);
  }

  void find(const await_run& message, awaited_run& question) const {
    const auto require_found = [&](bool is_found) {
      if (!is_found)
        throw failure(error_code::not_found,
                      fmt::format("await_run: {} on {} never ran", message.name, message.symbol));
    };
    dispatch(
        message.kind, "await_run",
        [&](run_mode mode) {
          check_strategy(*core, message.name, "await_run");
          question.record = core->find_record(message.symbol, message.name, mode);
          require_found(static_cast<bool>(question.record));
        },
        [&] {
          core->check_walker(message.symbol, message.name, "await_run");
          question.walked = core->find_walk(message.symbol, message.name);
          require_found(static_cast<bool>(question.walked));
          question.record = question.walked->shared_record();
        });
  }

  caf::result<run_controlled> control(const control_run& message) {
    auto promise = promise_answer<run_controlled>(self);
    live_actor driver;
    if (auto problem = message.unreadable ? message.unreadable : problem_of_question([&] {
          if (auto refused = problem_with(message.command))
            throw failure(*std::move(refused));
          check_strategy(*core, message.strategy_name, "control_run");
          driver = core->find_driver(message.symbol, message.strategy_name);
        })) {
      promise.deliver(run_controlled{std::move(problem)});
      return promise;
    }
    const auto number = remember(promise);
    request(self, driver, caf::infinite, message)
        .then(
            [this, number, promise](const run_controlled& answer) mutable {
              refusals.erase(number);
              promise.deliver(answer);
            },
            [this, number, promise](const caf::error& reason) mutable {
              refusals.erase(number);
              promise.deliver(run_controlled{run_ended_early(reason)});
            });
    return promise;
  }
};

struct runtime_starter_state {
  self_pointer<runtime_starter_actor, runtime_starter_state> self = nullptr;
  runtime_core* core = nullptr;

  void init(runtime_core* of) { core = of; }

  runtime_starter_actor::behavior_type make_behavior() {
    return {
        [this](const begin_live& message) {
          run_begun answer;
          answer.problem = problem_of_question([&] {
            answer.id = core->start_live(message.request, false, "begin_live").record->id();
          });
          return answer;
        },
        [this](const run_walker& message) {
          walker_begun answer;
          answer.problem = problem_of_question([&] {
            answer.begun =
                core->start_walk(message.symbol, message.walker_name, true, "run_walker");
          });
          return answer;
        },
    };
  }
};

struct runtime_reporter_state {
  self_pointer<runtime_reporter_actor, runtime_reporter_state> self = nullptr;
  runtime_core* core = nullptr;

  void init(runtime_core* of) { core = of; }

  runtime_reporter_actor::behavior_type make_behavior() {
    return {
        [this](const ask_report_text& message) {
          report_text answer;
          answer.problem = problem_of_question([&] { answer.markdown = markdown_of(message); });
          return answer;
        },
        [this](const ask_walker_text& message) {
          report_text answer;
          answer.problem = problem_of_question([&] {
            answer.markdown = walker_runs{*core}.get_report(message.symbol, message.walker_name);
          });
          return answer;
        },
        [this](const ask_backtest_data& message) {
          backtest_data answer;
          answer.problem = problem_of_question([&] {
            answer.data = std::make_shared<const backtest_report_data>(
                backtest_runs{*core}.get_data(message.symbol, message.strategy_name));
          });
          return answer;
        },
        [this](const ask_walker_data& message) {
          walker_data answer;
          answer.problem = problem_of_question([&] {
            answer.data = std::make_shared<const walker_report_data>(
                walker_runs{*core}.get_data(message.symbol, message.walker_name));
          });
          return answer;
        },
        [this](const ask_run_statistics& message) {
          run_statistics answer;
          answer.problem = problem_of_question([&] {
            check_mode(message.mode, "ask_run_statistics");
            check_strategy(*core, message.strategy_name, "ask_run_statistics");
            answer.statistics =
                message.mode == run_mode::live
                    ? live_runs{*core}.statistics(message.symbol, message.strategy_name)
                    : backtest_runs{*core}
                          .get_data(message.symbol, message.strategy_name)
                          .statistics;
          });
          return answer;
        },
        [this](const size_position& message) {
          sized_position answer;
          answer.problem = problem_of_question([&] {
            answer.quantity =
                core->position_size(message.sizing_name, message.symbol, message.request);
          });
          return answer;
        },
    };
  }

  std::string markdown_of(const ask_report_text& asked) const {
    const auto& [kind, symbol, strategy, mode] = asked;
    switch (kind) {
    case report_kind::backtest: return backtest_runs{*core}.get_report(symbol, strategy);
    case report_kind::live: return live_runs{*core}.get_report(symbol, strategy);
    case report_kind::schedule: return schedule_reports{*core}.get_report(symbol, strategy, mode);
    case report_kind::performance:
      return performance_reports{*core}.get_report(symbol, strategy, mode);
    case report_kind::partial: return partial_reports{*core}.get_report(symbol, strategy, mode);
    case report_kind::risk: return risk_reports{*core}.get_report(symbol, strategy, mode);
    case report_kind::heat: return heat_reports{*core}.get_report(strategy, mode);
    }
    throw_unknown("ask_report_text", kind,
                  "backtest, live, schedule, performance, partial, risk or heat");
  }
};

} // namespace

message_facade_actors spawn_message_facade(runtime_core& core, const shared_census& census) {
  message_facade_actors spawned;
  spawned.starter = spawn_actor<runtime_starter_state, runtime_starter_actor, caf::detached>(
      core.system, census, &core);
  spawned.reporter = spawn_actor<runtime_reporter_state, runtime_reporter_actor, caf::detached>(
      core.system, census, &core);
  spawned.front = spawn_actor<runtime_front_state, runtime_front_actor>(
      core.system, census, &core, spawned.starter, spawned.reporter);
  return spawned;
}

runtime_actor runtime_core::message_facade() {
  const calling_thread visit{system};
  const std::lock_guard lock{facade_mutex_};
  if (!facade_.front)
    facade_ = spawn_message_facade(*this, facade_census_);
  return runtime_actor{facade_.front};
}

void runtime_core::end_message_facade() {
  {
    const std::lock_guard lock{facade_mutex_};
    if (facade_.front)
      send_anonymously(facade_.front, end_facade{});
    end_actor(facade_.starter);
    end_actor(facade_.reporter);
    facade_ = {};
  }
  facade_census_->wait_until_empty();
}

} // namespace backtest
