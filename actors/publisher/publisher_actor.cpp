#include "actors/publisher/publisher_actor.hpp"

#include "actors/publisher/command_memory.hpp"

#include <exception>
#include <map>
#include <utility>

namespace backtest {

namespace {

/// What `action` throws, as a value.
template <class Action>
std::optional<error> problem_of(Action&& action) {
  try {
    action();
    return std::nullopt;
  } catch (const failure& caught) {
    return caught.reason();
  } catch (const std::exception& caught) {
    return error{error_code::store_failed, caught.what()};
  }
}

struct publisher_state {
  struct served_tap {
    tap_actor receiver;
    journal_tap position;
  };

  self_pointer<publisher_actor, publisher_state> self = nullptr;
  publisher_setup setup;
  std::map<tap_id, served_tap> taps;
  tap_id last_id = 0;
  bool reading_is_due = false;
  std::optional<command_memory> commands; ///< of those that have an id
  std::map<std::string, std::vector<response_promise<run_controlled>>> operators; ///< by that id

  void init(publisher_setup given) {
    setup = std::move(given);
    commands.emplace(setup.now());
    end_by_owner_only(self);
    send(self, setup.commits,
         watch_journal{
             weak_handle<journal_watcher_actor>{journal_watcher_actor{publisher_actor{self}}}});
  }

  publisher_actor::behavior_type make_behavior() {
    return {
        [this](const follow_journal& message) { return follow(message); },
        [this](const grant_credit& message) {
          if (const auto found = taps.find(message.id); found != taps.end()) {
            found->second.position.grant(message.lines);
            read_soon();
          }
        },
        [this](const unfollow_journal& message) { taps.erase(message.id); },
        [this](const control_run& message) { return control(message); },
        [this](const journal_grown&) {
          read_soon();
          return growth_noted{};
        },
        [this](const read_journal_on&) {
          reading_is_due = false;
          read();
        },
        [this](const tap_gone& message) { taps.erase(message.id); },
    };
  }

  /// Behind what is in the mailbox: whatever else arrives is not held up by a long journal.
  void read_soon() {
    if (!std::exchange(reading_is_due, true))
      send(self, publisher_actor{self}, read_journal_on{});
  }

  journal_followed follow(const follow_journal& message) {
    journal_followed answer;
    answer.problem = problem_of([&] {
      if (!message.tap)
        throw failure(error_code::invalid_argument, "follow_journal: tap must be an actor");
      answer.bounds = find_journal_bounds(*setup.journal->snapshot());
      taps.emplace(last_id + 1, served_tap{message.tap, {message.request, answer.bounds}});
    });
    if (answer.problem)
      return answer;
    answer.id = ++last_id;
    on_exit(message.tap, [me = weak_handle<publisher_actor>{publisher_actor{self}},
                          id = answer.id](const caf::error&) {
      if (auto strong = me.lock())
        send_anonymously(strong, tap_gone{id});
    });
    read_soon();
    return answer;
  }

  /// One piece for every tap that can take one.
  void read() {
    std::unique_ptr<store_reader> frozen;
    journal_bounds bounds;
    const auto unreadable = problem_of([&] {
      frozen = setup.journal->snapshot();
      bounds = find_journal_bounds(*frozen);
    });
    bool is_more = false;
    for (auto at = taps.begin(); at != taps.end();) {
      auto& [id, tap] = *at;
      auto problem = unreadable;
      if (!problem)
        problem = problem_of([&, id = id, &tap = tap] {
          tap.position.require_still_there(bounds);
          if (!tap.position.may_read(bounds.last))
            return;
          if (auto piece = tap.position.read(*frozen))
            send(self, tap.receiver, journal_batch{id, piece->next, std::move(piece->lines)});
        });
      if (problem || tap.position.is_over()) {
        send(self, tap.receiver, journal_ended{id, tap.position.next(), std::move(problem)});
        at = taps.erase(at);
      } else {
        is_more = is_more || tap.position.may_read(bounds.last);
        ++at;
      }
    }
    if (is_more)
      read_soon();
  }

  caf::result<run_controlled> control(const control_run& message) {
    auto promise = promise_answer<run_controlled>(self);
    if (message.unreadable) {
      promise.deliver(run_controlled{message.unreadable});
      return promise;
    }
    if (message.id.empty()) {
      carry_out(message,
                [promise](const run_controlled& answer) mutable { promise.deliver(answer); });
      return promise;
    }
    const auto found = commands->look_up(message, setup.now());
    if (found.answer) {
      promise.deliver(*found.answer);
      return promise;
    }
    operators[message.id].push_back(promise);
    if (found.is_new) {
      commands->take(message, setup.now());
      carry_out(message, [this, id = message.id](const run_controlled& answer) {
        commands->settle(id, answer);
        auto waiting = operators.extract(id);
        for (auto& asked : waiting.mapped())
          asked.deliver(answer);
      });
    }
    return promise;
  }

  /// `answered` is called once, in this actor.
  template <class Answered>
  void carry_out(const control_run& message, Answered answered) {
    live_actor driver;
    if (auto problem =
            problem_of([&] { driver = setup.find_run(message.symbol, message.strategy_name); }))
      return answered(run_controlled{std::move(problem)});
    request(self, driver, caf::infinite, message)
        .then(answered, [answered](const caf::error& reason) mutable {
          answered(run_controlled{run_ended_early(reason)});
        });
  }
};

} // namespace

error run_ended_early(const caf::error& reason) {
  return {error_code::actor_failed,
          "the live run ended before the command took effect: " + text_of(reason)};
}

publisher_actor spawn_publisher(caf::actor_system& system, const shared_census& census,
                                publisher_setup setup) {
  return spawn_actor<publisher_state, publisher_actor, caf::detached>(system, census,
                                                                      std::move(setup));
}

publisher_actor spawn_scheduled_publisher(caf::actor_system& system, const shared_census& census,
                                          publisher_setup setup) {
  return spawn_actor<publisher_state, publisher_actor>(system, census, std::move(setup));
}

} // namespace backtest
