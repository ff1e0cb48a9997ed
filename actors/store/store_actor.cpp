#include "actors/store/store_actor.hpp"

#include "storage/group_commit.hpp"

#include <map>

namespace backtest {

namespace {

/// Made before the actor, so that a store that cannot be read is its spawner's error.
struct open_store {
  explicit open_store(store_setup given)
      : setup(std::move(given)), commits(*setup.target, setup.limits) {}
  store_setup setup;
  group_commit commits;
};

struct store_state {
  self_pointer<store_actor, store_state> self = nullptr;
  std::shared_ptr<open_store> opened;
  std::multimap<std::uint64_t, response_promise<turn_committed>> waiting; ///< by ticket
  bool flush_is_due = false;
  struct watcher {
    weak_handle<journal_watcher_actor> told;
    bool is_busy = false;  ///< has not noted yet what it was told
    bool is_behind = false; ///< was not told of the latest
  };
  std::map<std::size_t, watcher> watchers; ///< by order of coming

  void init(std::shared_ptr<open_store> given) { opened = std::move(given); }

  store_actor::behavior_type make_behavior() {
    return {
        [this](commit_turn& message) -> caf::result<turn_committed> {
          auto promise = promise_answer<turn_committed>(self);
          waiting.emplace(message.ticket, promise);
          opened->commits.add(message.ticket, std::move(message.rows), std::move(message.events),
                              std::move(message.texts));
          // Whatever is in the mailbox by now comes before this message: one turn.
          if (!std::exchange(flush_is_due, true))
            send(self, store_actor{self}, flush_commits{});
          return promise;
        },
        [this](const flush_commits&) {
          flush_is_due = false;
          bool has_grown = false;
          for (auto& outcome : opened->commits.commit()) {
            has_grown = has_grown || outcome.first_number > 0;
            const auto found = waiting.find(outcome.ticket);
            if (found == waiting.end())
              continue;
            found->second.deliver(
                turn_committed{outcome.first_number, std::move(outcome.problem)});
            waiting.erase(found);
          }
          if (auto problem = opened->commits.take_retention_problem())
            opened->setup.report(std::move(*problem));
          if (has_grown)
            tell_watchers();
        },
        [this](const ask_store& message) -> store_answer {
          try {
            message.work(*opened->setup.target);
            return {};
          } catch (const failure& caught) {
            return {caught.reason()};
          } catch (const std::exception& caught) {
            return {error{error_code::store_failed, caught.what()}};
          }
        },
        [this](const watch_journal& message) {
          const auto number = watchers.empty() ? 0 : watchers.rbegin()->first + 1;
          watchers[number].told = message.watcher;
          tell(number);
        },
    };
  }

  void tell_watchers() {
    for (auto at = watchers.begin(); at != watchers.end();)
      tell((at++)->first); // may forget it
  }

  void tell(std::size_t number) {
    auto& told = watchers.at(number);
    told.is_behind = told.is_busy;
    if (std::exchange(told.is_busy, true))
      return;
    const auto strong = told.told.lock();
    if (!strong) {
      watchers.erase(number);
      return;
    }
    request(self, strong, caf::infinite, journal_grown{})
        .then(
            [this, number](const growth_noted&) {
              auto& noted = watchers.at(number);
              noted.is_busy = false;
              if (noted.is_behind)
                tell(number);
            },
            [this, number](const caf::error&) { watchers.erase(number); });
  }
};

} // namespace

store_actor spawn_store(caf::actor_system& system, const shared_census& census, store_setup setup) {
  return spawn_actor<store_state, store_actor, caf::detached>(
      system, census, std::make_shared<open_store>(std::move(setup)));
}

store_actor spawn_scheduled_store(caf::actor_system& system, const shared_census& census,
                                  store_setup setup) {
  return spawn_actor<store_state, store_actor>(system, census,
                                               std::make_shared<open_store>(std::move(setup)));
}

} // namespace backtest
