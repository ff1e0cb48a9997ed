#include "actors/topics/topics_actor.hpp"

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
    bool needs_room = true; ///< one that published nothing needs none
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

  void init() {}

  topics_actor::behavior_type make_behavior() {
    return {
        [this](const subscribe& message) { return add(message); },
        [this](const unsubscribe& message) { remove(message.id); },
        [this](const use_journal& message) { journal = message.reader; },
        [this](publish& message) { return accept(message); },
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
    const auto id = ++last_id;
    auto& added = subscribers
                      .emplace(id, subscriber_state{message.subscriber,
                                                    {subscription_filter{message.wanted}},
                                                    message.built_in})
                      .first->second;
    distribution.join(added.taker);
    on_exit(message.subscriber,
            [bus = weak_handle<topics_actor>{topics_actor{self}}, id](const caf::error&) {
              if (auto strong = bus.lock())
                send_anonymously(strong, unsubscribe{id});
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
    const bool is_empty = news.events.empty() && news.idle.empty();
    if (is_empty) {
      end_turn();
    } else {
      begin_turn();
      distribute(std::move(news.events));
      distribute(std::move(news.idle));
    }
    publisher_state publisher{promise_answer<published>(self),
                              positions([](const auto& item) { return item.built_in; }), !is_empty};
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

  void distribute(std::vector<event> events) {
    if (events.empty())
      return;
    const auto mode = mode_of(events);
    const bool waits = self->current_sender() != nullptr || mode != run_mode::live;
    const auto all = std::make_shared<std::vector<event>>(std::move(events));
    distribution.count(*all, mode);
    for (auto& [id, subscriber] : subscribers)
      if (!waits && is_too_slow(subscriber) &&
          (subscriber.taker.wanted > 0 || subscriber.is_behind()))
        leave_out(subscriber, *all);
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

  void leave_out(subscriber_state& subscriber, const std::vector<event>& events) {
    const bool is_first = !subscriber.is_behind();
    for (const auto& item : events)
      if (item.number > 0)
        subscriber.missed.add(item.number, item.number); // wanted or not: stretches grow together
      else if (subscriber.taker.filter.wants(item))
        ++subscriber.left_out;
    subscriber.taker.wanted = 0;
    if (is_first)
      tell(error_code::listener_behind,
           fmt::format("a listener is {} events behind; it gets live events from the journal once "
                       "it has caught up, and those that no journal keeps not at all",
                       subscriber.queue.backlog()));
  }

  void catch_up(subscription_id id, subscriber_state& subscriber) {
    if (!subscriber.is_behind() || subscriber.is_reading ||
        subscriber.queue.backlog() > backlog_high_water / 2)
      return;
    if (subscriber.missed.empty())
      return tell_caught_up(subscriber);
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
             fmt::format("a listener cannot catch up from number {} on: {}",
                         subscriber.missed.first(), problem->message));
      return release_waiting();
    }
    if (!found.lost.empty())
      tell(error_code::listener_behind, std::move(found.lost));
    subscriber.missed.remove_up_to(found.last);
    if (!found.events.empty())
      subscriber.queue.take(std::make_shared<std::vector<event>>(std::move(found.events)));
    pump(id, subscriber);
    catch_up(id, subscriber);
    release_waiting();
  }

  void tell_caught_up(subscriber_state& subscriber) {
    const auto count = std::exchange(subscriber.left_out, 0);
    tell(error_code::listener_behind,
         fmt::format("a listener has caught up; {} events that no journal keeps were not kept for "
                     "it",
                     count));
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
                [this, id](const caf::error&) { remove(id); });
    }
  }

  void credit(subscription_id id, std::uint64_t batch) {
    const auto found = subscribers.find(id);
    if (found == subscribers.end())
      return;
    auto& subscriber = found->second;
    subscriber.queue.note_done(batch);
    pump(id, subscriber);
    catch_up(id, subscriber);
    release_waiting();
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

  bool has_room() const {
    return std::all_of(subscribers.begin(), subscribers.end(), [](const auto& item) {
      return item.second.queue.backlog() <= backlog_high_water;
    });
  }

  void release_waiting() {
    if (publishers.empty() && flushes.empty())
      return;
    const bool room = has_room();
    std::erase_if(publishers, [&](auto& waiting) {
      const bool done = (room || !waiting.needs_room) && reached(waiting.needed);
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

topics_actor spawn_topics(caf::actor_system& system, const shared_census& census) {
  return spawn_actor<topics_state, topics_actor>(system, census);
}

} // namespace backtest
