#include "actors/topics/topics_actor.hpp"

#include "actors/topics/answer_watch.hpp"
#include "actors/topics/event_distribution.hpp"
#include "actors/topics/missed_events.hpp"
#include "actors/topics/missed_numbers.hpp"
#include "actors/topics/subscriber_queue.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>

namespace backtest {

namespace {

/// Journal entries read at a time for a subscriber that catches up.
constexpr std::size_t catch_up_size = 1024;

/// Looks at who owes an answer within the time that one may take.
constexpr int looks_of_patience = 10;

run_mode mode_of(const std::vector<event>& events) {
  for (const auto& item : events)
    if (const auto& run = identity_of(item))
      return run->mode; // a producer's runs are all of one mode
  return run_mode::backtest;
}

struct topics_state {
  struct subscriber_state {
    subscriber_actor handle;
    event_taker taker;
    bool built_in = false;
    subscriber_queue queue = {};
    missed_numbers missed = {}; ///< live: it was too far behind; read back when it has room
    std::uint64_t left_out = 0; ///< live: the same, and in no journal
    bool is_reading = false;
    bool is_failing = false; ///< the journal could not be read for it the last time
    std::shared_ptr<listener_gate> gate = nullptr; ///< of a listener of ours
    answer_watch watch = {};
    std::string doubtful_error = {}; ///< it answered so, or ended; what comes next tells

    std::optional<answer_progress> owes() const {
      if (!queue.owes_answer())
        return std::nullopt;
      return answer_progress{queue.batches_done(), gate ? gate->done() : 0};
    }

    bool is_behind() const { return !missed.empty() || left_out > 0; }

    /// What a run should build for it.
    interest asks_of(const run_identity& run) const {
      const auto asked = taker.filter.interest_in(run);
      return built_in && run.mode == run_mode::live ? asked.with_newest_idle_only() : asked;
    }
    bool takes_idle_stretches() const {
      return built_in && taker.filter.wants_idle_of(run_mode::live);
    }
  };
  struct producer_state {
    producer_actor handle;
    std::vector<shared_identity> runs;
    std::vector<interest> masks; ///< what subscribers ask of each
  };
  /// How far a subscriber must have come.
  struct needed_position {
    subscription_id id = 0;
    std::uint64_t accepted = 0;
    std::int64_t missed = 0; ///< and it has caught up to this journal number; 0: it was not behind
  };
  using needed_positions = std::vector<needed_position>;
  /// A publisher that waits for the built-in subscribers, and for room.
  struct publisher_state {
    response_promise<published> promise;
    needed_positions needed;
    std::vector<subscription_id> without_room; ///< they got some of it
    caf::actor_addr address;                   ///< its own, where it waits for room
  };
  /// Somebody who waits for every subscriber.
  struct flush_state {
    response_promise<topics_flushed> promise;
    needed_positions needed;
  };

  self_pointer<topics_actor, topics_state> self = nullptr;
  std::map<subscription_id, subscriber_state> subscribers;
  std::vector<producer_state> producers;
  std::vector<publisher_state> publishers;
  std::vector<flush_state> flushes;
  subscription_id last_id = 0;
  snapshot_reader_actor journal; ///< null until a live run has opened it
  event_distribution distribution;
  bool turn_is_open = false; ///< events were published since the last end of a turn
  std::vector<subscription_id> full; ///< got some of what was published last, and have no room
  std::chrono::nanoseconds patience{0};
  bool look_is_due = false;

  void init(std::chrono::nanoseconds of_subscribers) { patience = of_subscribers; }

  topics_actor::behavior_type make_behavior() {
    return {
        [this](const subscribe& message) { return add(message); },
        [this](const unsubscribe& message) { remove(message.id); },
        [this](const subscriber_gone& message) { remove_dead(message.id, message.problem); },
        [this](const set_patience& message) {
          patience = message.of_subscribers;
          for (const auto& [id, subscriber] : subscribers)
            if (!subscriber.built_in && subscriber.owes())
              look_later();
        },
        [this](const look_at_subscribers&) { look(); },
        [this](const use_journal& message) { journal = message.reader; },
        [this](publish& message) { return accept(message); },
        [this](const forgo_room&) {
          const auto sender = caf::actor_cast<caf::actor_addr>(self->current_sender());
          for (auto& waiting : publishers)
            if (waiting.address == sender)
              waiting.without_room.clear();
          release_waiting();
        },
        [this](const flush_topics&) -> caf::result<topics_flushed> {
          flush_state waiting{promise_answer<topics_flushed>(self),
                              positions([](auto&) { return true; })};
          auto promise = waiting.promise;
          flushes.push_back(std::move(waiting));
          for (auto& [id, subscriber] : subscribers)
            catch_up(id, subscriber);
          release_waiting();
          return promise;
        },
        [this](const register_producer& message) {
          producers.push_back({message.producer, message.runs, masks_for(message.runs)});
          // One that dies without a word must not be kept, nor asked, for ever.
          on_exit(message.producer,
                  [bus = weak_handle<topics_actor>{topics_actor{self}},
                   address = weak_handle<producer_actor>{message.producer}](const caf::error&) {
                    if (auto strong = bus.lock())
                      if (auto gone = address.lock())
                        send_anonymously(strong, deregister_producer{gone});
                  });
          return interest_list{producers.back().masks};
        },
        [this](const deregister_producer& message) {
          std::erase_if(producers,
                        [&](const auto& item) { return item.handle == message.producer; });
        },
    };
  }

  std::vector<interest> masks_for(const std::vector<shared_identity>& runs) const {
    std::vector<interest> masks;
    masks.reserve(runs.size());
    for (const auto& run : runs)
      masks.push_back(asked_of(*run));
    return masks;
  }

  interest asked_of(const run_identity& run) const {
    interest asked;
    for (const auto& [id, subscriber] : subscribers)
      asked |= subscriber.asks_of(run);
    return asked;
  }

  caf::result<subscribed> add(const subscribe& message) {
    if (!message.subscriber)
      return caf::make_error(caf::sec::invalid_argument, "subscribe: subscriber must be an actor");
    try {
      require_valid(message.wanted);
    } catch (const failure& caught) {
      return caf::make_error(caf::sec::invalid_argument, caught.what());
    }
    const auto id = ++last_id;
    auto& added = subscribers
                      .emplace(id, subscriber_state{message.subscriber,
                                                    {subscription_filter{message.wanted}},
                                                    message.built_in})
                      .first->second;
    added.gate = message.gate;
    distribution.join(added.taker);
    on_exit(message.subscriber, [bus = weak_handle<topics_actor>{topics_actor{self}}, id,
                                 &system = self->system()](const caf::error& reason) {
      if (auto strong = bus.lock())
        send_anonymously(
            strong, subscriber_gone{id, is_orderly_end(reason) ? "" : text_of(system, reason)});
    });
    auto promise = promise_answer<subscribed>(self);
    auto answer = std::make_shared<subscribed>(subscribed{id, {}});
    auto left = std::make_shared<std::size_t>(producers.size());
    if (producers.empty())
      promise.deliver(*answer);
    auto one_less = [promise, answer, left]() mutable {
      if (--*left == 0)
        promise.deliver(std::move(*answer));
    };
    for (auto& producer : producers) {
      for (std::size_t run = 0; run < producer.runs.size(); ++run)
        producer.masks[run] |= added.asks_of(*producer.runs[run]);
      request(self, producer.handle, caf::infinite, interest_changed{producer.masks})
          .then(
              [answer, one_less](const interest_noted& noted) mutable {
                answer->runs.insert(answer->runs.end(), noted.runs.begin(), noted.runs.end());
                one_less();
              },
              [one_less](const caf::error&) mutable { one_less(); }); // the run is over
    }
    return promise;
  }

  void remove(subscription_id id) {
    auto gone = subscribers.extract(id);
    if (gone.empty())
      return;
    distribution.leave(gone.mapped().taker);
    for (auto& producer : producers) {
      for (std::size_t run = 0; run < producer.runs.size(); ++run)
        if (!gone.mapped().asks_of(*producer.runs[run]).empty())
          producer.masks[run] = asked_of(*producer.runs[run]);
      request(self, producer.handle, caf::infinite, interest_changed{producer.masks})
          .then([](const interest_noted&) {}, [](const caf::error&) {}); // the run may be over
    }
    release_waiting();
  }

  caf::result<published> accept(publish& news) {
    full.clear();
    if (news.events.empty() && news.idle.empty()) {
      end_turn();
    } else {
      begin_turn();
      distribute(std::move(news.events));
      distribute(std::move(news.idle));
    }
    publisher_state publisher;
    if (const auto& sender = self->current_sender(); // the promise takes it away
        sender != nullptr && news.waits_for_room && !full.empty()) {
      publisher.without_room = full;
      publisher.address = caf::actor_cast<caf::actor_addr>(sender);
    }
    publisher.promise = promise_answer<published>(self);
    publisher.needed = positions([](const auto& item) { return item.built_in; });
    auto promise = publisher.promise;
    publishers.push_back(std::move(publisher));
    release_waiting();
    return promise;
  }

  /// Its end is behind what is in the mailbox.
  void begin_turn() {
    if (!std::exchange(turn_is_open, true))
      send_anonymously(topics_actor{self}, publish{});
  }

  /// Whatever was published by now goes out together.
  void end_turn() {
    turn_is_open = false;
    for (auto& [id, subscriber] : subscribers) {
      pump(id, subscriber);
      catch_up(id, subscriber);
    }
  }

  /// To everybody but `not_to`.
  void distribute(std::vector<event> events, subscription_id not_to = 0) {
    if (events.empty())
      return;
    const auto mode = mode_of(events);
    const bool waits = self->current_sender() != nullptr || mode != run_mode::live;
    const auto all = std::make_shared<std::vector<event>>(std::move(events));
    distribution.count(*all, mode);
    if (const auto left_out = subscribers.find(not_to); left_out != subscribers.end())
      left_out->second.taker.wanted = 0;
    for (auto& [id, subscriber] : subscribers)
      if (!waits && is_too_slow(subscriber) &&
          (subscriber.taker.wanted > 0 || subscriber.is_behind()))
        leave_out(id, subscriber, *all);
    bool has_parts = false, is_shared = false;
    for (auto& [id, subscriber] : subscribers) {
      auto& taker = subscriber.taker;
      if (taker.wanted == all->size()) {
        subscriber.queue.take(all);
        is_shared = true;
      } else if (taker.wanted > 0) { // its own, so that a slow subscriber does not keep the whole
        taker.part = &subscriber.queue.take_part(taker.wanted);
        has_parts = true;
      }
      if (taker.wanted > 0 && !has_room(subscriber))
        full.push_back(id);
    }
    if (has_parts)
      distribution.put_parts(*all, !is_shared);
  }

  void distribute(std::vector<idle_stretch> idle) {
    if (idle.empty())
      return;
    const auto all = std::make_shared<const std::vector<idle_stretch>>(std::move(idle));
    for (auto& [id, subscriber] : subscribers)
      if (subscriber.takes_idle_stretches())
        subscriber.queue.take(all);
  }

  // -- live subscribers that are too slow: the journal keeps their events -----------------

  /// A live run that does not wait for the answer waits for nobody, and no backlog grows for ever.
  bool is_too_slow(const subscriber_state& subscriber) const {
    return !subscriber.built_in && journal &&
           (subscriber.is_behind() || subscriber.queue.backlog() >= backlog_high_water);
  }

  void leave_out(subscription_id id, subscriber_state& subscriber,
                 const std::vector<event>& events) {
    const bool is_first = !subscriber.is_behind();
    for (const auto& item : events)
      if (item.number > 0)
        subscriber.missed.add(item.number, item.number); // wanted or not: stretches grow together
      else if (subscriber.taker.filter.wants(item))
        ++subscriber.left_out;
    subscriber.taker.wanted = 0;
    if (is_first)
      tell(error_code::listener_behind,
           fmt::format("{} is {} events behind; it gets live events from the journal once it has "
                       "caught up, and those that no journal keeps not at all",
                       name_of(id, subscriber), subscriber.queue.backlog()));
  }

  void catch_up(subscription_id id, subscriber_state& subscriber) {
    if (!subscriber.is_behind() || subscriber.is_reading ||
        subscriber.queue.backlog() > backlog_high_water / 2)
      return;
    if (subscriber.missed.empty())
      return tell_caught_up(id, subscriber);
    subscriber.is_reading = true;
    const auto found = std::make_shared<missed_events>();
    const auto read = [found, first = subscriber.missed.first(),
                       last = subscriber.missed.last_of_first(),
                       filter = subscriber.taker.filter](const store_reader& from) {
      *found = read_missed_events(from, first, last, catch_up_size, filter);
    };
    request(self, journal, caf::infinite, read_snapshot{read})
        .then(
            [this, id, found](const store_answer& answer) {
              if (const auto known = subscribers.find(id); known != subscribers.end())
                take_read(id, known->second, *found, answer.problem);
            },
            [this, id](const caf::error& reason) {
              if (const auto known = subscribers.find(id); known != subscribers.end())
                take_read(id, known->second, {},
                          error{error_code::store_failed,
                                "the reader of the journal is gone: " + text_of(reason)});
            });
  }

  void take_read(subscription_id id, subscriber_state& subscriber, missed_events found,
                 const std::optional<error>& problem) {
    subscriber.is_reading = false;
    const bool fails_anew = !std::exchange(subscriber.is_failing, problem.has_value());
    if (problem) {
      if (fails_anew) // tried again with the next events
        tell(error_code::store_failed,
             fmt::format("{} cannot catch up from number {} on: {}", name_of(id, subscriber),
                         subscriber.missed.first(), problem->message));
      return release_waiting();
    }
    if (!found.lost.empty())
      tell(error_code::listener_behind, fmt::format("{}: {}", name_of(id, subscriber), found.lost));
    subscriber.missed.remove_up_to(found.last);
    if (!found.events.empty())
      subscriber.queue.take(std::make_shared<std::vector<event>>(std::move(found.events)));
    pump(id, subscriber);
    catch_up(id, subscriber);
    release_waiting();
  }

  void tell_caught_up(subscription_id id, subscriber_state& subscriber) {
    const auto count = std::exchange(subscriber.left_out, 0);
    tell(error_code::listener_behind,
         fmt::format("{} has caught up; {} events that no journal keeps were not kept for it",
                     name_of(id, subscriber), count));
  }

  static std::string name_of(subscription_id id, const subscriber_state& subscriber) {
    return fmt::format("subscriber {} {}", id, text_of(subscriber.taker.filter.wanted()));
  }

  void tell(error_code code, std::string message) {
    send_anonymously(topics_actor{self},
                     publish{{{topic::error, error_event{code, std::move(message), "topics",
                                                         std::nullopt, nullptr}}}});
  }

  void pump(subscription_id id, subscriber_state& subscriber) {
    auto& queue = subscriber.queue;
    while (queue.may_send()) {
      const auto number = queue.next_number();
      auto next = queue.next_batch(subscriber.taker.filter);
      request(self, subscriber.handle, caf::infinite,
              event_batch{std::move(next.events), std::move(next.idle)})
          .then([this, id, number](const batch_done&) { credit(id, number); },
                [this, id, number](const caf::error& reason) { take_error(id, number, reason); });
      if (!subscriber.built_in)
        look_later();
    }
  }

  void credit(subscription_id id, std::uint64_t batch) {
    const auto found = subscribers.find(id);
    if (found == subscribers.end())
      return;
    auto& subscriber = found->second;
    subscriber.queue.note_done(batch);
    tell_if_doubtful(id, subscriber);
    pump(id, subscriber);
    catch_up(id, subscriber);
    release_waiting();
  }

  // -- subscribers that fail, or do not answer ---------------------------------------------

  /// An error is an answer too, unless it means that the subscriber is gone, which its exit tells.
  void take_error(subscription_id id, std::uint64_t batch, const caf::error& reason) {
    const auto found = subscribers.find(id);
    if (found == subscribers.end())
      return;
    auto& subscriber = found->second;
    const bool is_doubtful = may_be_an_end(reason);
    if (is_doubtful)
      subscriber.doubtful_error = text_of(self->system(), reason);
    else
      tell_error(id, subscriber, text_of(self->system(), reason));
    subscriber.queue.note_done(batch);
    pump(id, subscriber);
    catch_up(id, subscriber);
    release_waiting();
  }

  /// It is still there.
  void tell_if_doubtful(subscription_id id, subscriber_state& subscriber) {
    if (!subscriber.doubtful_error.empty())
      tell_error(id, subscriber, std::exchange(subscriber.doubtful_error, {}));
  }

  void tell_error(subscription_id id, const subscriber_state& subscriber,
                  const std::string& reason) {
    tell_others(id, error_code::listener_failed,
                fmt::format("{} answered a batch of events with an error: {}; it gets the next one",
                            name_of(id, subscriber), reason));
  }

  void remove_dead(subscription_id id, const std::string& problem) {
    const auto found = subscribers.find(id);
    if (found == subscribers.end())
      return;
    if (!problem.empty())
      tell(error_code::listener_failed, fmt::format("{} ended: {}; its subscription is over",
                                                    name_of(id, found->second), problem));
    remove(id);
  }

  void look_later() {
    if (patience > patience.zero() && !std::exchange(look_is_due, true))
      send_later(topics_actor{self}, patience / looks_of_patience, look_at_subscribers{});
  }

  void look() {
    look_is_due = false;
    if (patience == patience.zero())
      return;
    const auto now = self->clock().now();
    std::vector<subscription_id> dropped;
    for (auto& [id, subscriber] : subscribers) {
      if (subscriber.built_in)
        continue;
      tell_if_doubtful(id, subscriber);
      const auto owes = subscriber.owes();
      if (owes)
        look_later();
      if (subscriber.watch.is_overdue(owes, now, patience)) {
        tell_overdue(id, subscriber);
        if (subscriber.taker.filter.wanted().drop_when_overdue)
          dropped.push_back(id);
      }
    }
    for (const auto id : dropped) {
      if (const auto& gate = subscribers.at(id).gate)
        gate->close();
      remove(id);
    }
  }

  void tell_overdue(subscription_id id, const subscriber_state& subscriber) {
    tell(error_code::listener_overdue,
         fmt::format("{} has not answered for {} s, {} events wait for it; {}",
                     name_of(id, subscriber),
                     std::chrono::duration_cast<std::chrono::seconds>(patience).count(),
                     subscriber.queue.backlog(),
                     subscriber.taker.filter.wanted().drop_when_overdue
                         ? std::string{"it is dropped"}
                         : fmt::format("backtests and replays that it hears wait once there are "
                                       "more than {}",
                                       backlog_high_water)));
  }

  /// Who fails over an event must not get one more for it, and so on.
  void tell_others(subscription_id id, error_code code, std::string message) {
    begin_turn();
    distribute(
        {{topic::error, error_event{code, std::move(message), "topics", std::nullopt, nullptr}}},
        id);
  }

  template <class Predicate>
  needed_positions positions(Predicate predicate) const {
    needed_positions needed;
    for (const auto& [id, subscriber] : subscribers)
      if (predicate(subscriber))
        needed.push_back({id, subscriber.queue.accepted(),
                          subscriber.missed.empty() ? 0 : subscriber.missed.last()});
    return needed;
  }

  bool reached(needed_positions& needed) const {
    return std::all_of(needed.begin(), needed.end(), [this](auto& item) {
      const auto found = subscribers.find(item.id);
      if (found == subscribers.end())
        return true;
      const auto& subscriber = found->second;
      if (item.missed > 0) {
        if (!subscriber.missed.empty() && subscriber.missed.first() <= item.missed)
          return subscriber.is_failing && !subscriber.is_reading && // told; it may last for ever
                 subscriber.queue.applied() >= item.accepted;
        item.missed = 0; // what was missed is in the queue by now
        item.accepted = subscriber.queue.accepted();
      }
      return subscriber.queue.applied() >= item.accepted;
    });
  }

  static bool has_room(const subscriber_state& subscriber) {
    return subscriber.queue.backlog() <= backlog_high_water;
  }

  void release_waiting() {
    if (publishers.empty() && flushes.empty())
      return;
    std::erase_if(publishers, [&](auto& waiting) {
      std::erase_if(waiting.without_room, [this](subscription_id id) {
        const auto found = subscribers.find(id);
        return found == subscribers.end() || has_room(found->second);
      });
      const bool done = waiting.without_room.empty() && reached(waiting.needed);
      if (done)
        waiting.promise.deliver(published{});
      return done;
    });
    std::erase_if(flushes, [&](auto& waiting) {
      const bool done = reached(waiting.needed);
      if (done)
        waiting.promise.deliver(topics_flushed{});
      return done;
    });
  }
};

} // namespace

topics_actor spawn_topics(caf::actor_system& system, const shared_census& census,
                          std::chrono::seconds patience) {
  return spawn_actor<topics_state, topics_actor>(system, census,
                                                 std::chrono::nanoseconds{patience});
}

} // namespace backtest
