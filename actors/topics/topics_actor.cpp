#include "actors/topics/topics_actor.hpp"

#include "actors/topics/missed_numbers.hpp"
#include "actors/topics/run_interests.hpp"
#include "messages/event_json.hpp"
#include "storage/journal.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <tuple>

#include <fmt/format.h>

namespace backtest {

namespace {

/// Events sent to a subscriber before it must say that it is done with them.
constexpr std::size_t batch_size = 1024;

/// Journal entries read at a time for a subscriber that catches up; a commit may have to wait for
/// them.
constexpr std::size_t catch_up_size = 256;

run_mode mode_of(const std::vector<event>& events) {
  for (const auto& item : events)
    if (const auto& run = identity_of(item))
      return run->mode; // a producer's runs are all of one mode
  return run_mode::backtest;
}

/// What was read of the journal in the store's thread.
struct journal_stretch {
  std::vector<journal_line> lines;
  std::int64_t first_kept = 0; ///< when what was asked for is no longer kept
};

struct topics_state {
  /// Events that wait for a subscriber; those who want all of a publisher's share them.
  using shared_batch = std::shared_ptr<std::vector<event>>;
  /// One or the other.
  struct queued {
    shared_batch events;
    shared_idle_stretches idle;
  };
  struct subscriber_state {
    subscriber_actor handle;
    subscription_filter filter;
    bool wants_signals = false; ///< the topic `signal`: an event may be wanted twice
    bool built_in = false;
    std::deque<queued> queue = {}; ///< not sent yet, the first of them from `sent` on
    std::size_t sent = 0;
    std::uint64_t accepted = 0; ///< events ever queued
    std::uint64_t applied = 0;  ///< events the subscriber is done with
    std::size_t in_flight = 0;
    std::vector<interest> of_runs = {}; ///< what it wants of each, by number
    std::size_t wanted = 0;             ///< events of the batch at hand
    missed_numbers missed = {};         ///< live: it was too far behind; read back when it has room
    std::uint64_t left_out = 0;         ///< live: the same, and in no journal
    bool is_reading = false;

    std::size_t backlog() const { return accepted - applied; }
    bool is_behind() const { return !missed.empty() || left_out > 0; }

    void take(shared_batch events) {
      accepted += events->size();
      queue.push_back({std::move(events), nullptr});
    }
    void take(shared_idle_stretches idle) {
      ++accepted;
      queue.push_back({nullptr, std::move(idle)});
    }
    /// What a run should build for it.
    interest asks_of(const run_identity& run) const {
      const auto asked = filter.interest_in(run);
      return built_in && run.mode == run_mode::live ? asked.with_newest_idle_only() : asked;
    }
    bool takes_idle_stretches() const { return built_in && filter.wants_idle_of(run_mode::live); }
    bool wants(const event& item, const event_marks& marks) const {
      return marks.run == 0 ? filter.wants(item) : is_wanted(marks, of_runs[marks.run]);
    }
    void learn(const run_numbers& known_runs) {
      if (of_runs.empty())
        of_runs.emplace_back(); // of events without a run the filter itself decides
      while (of_runs.size() < known_runs.size())
        of_runs.push_back(filter.interest_in(known_runs.names_of(of_runs.size())));
    }
    /// Events on their way from now on.
    event_batch next_batch() {
      event_batch batch;
      while (!queue.empty() && in_flight < batch_size) {
        if (!queue.front().idle) {
          send_from(queue.front().events, batch.events);
          continue;
        }
        batch.idle = std::move(queue.front().idle);
        queue.pop_front();
        ++in_flight;
        break; // other events come behind it
      }
      return batch;
    }
    void send_from(const shared_batch& first, std::vector<event>& batch) {
      const bool is_last_user = first.use_count() == 1;
      const auto count = std::min(first->size() - sent, batch_size - in_flight);
      in_flight += count;
      if (is_last_user && !wants_signals && batch.empty() && count == first->size()) {
        batch = std::move(*first);
      } else {
        if (batch.empty())
          batch.reserve(count);
        for (std::size_t i = sent; i < sent + count; ++i)
          is_last_user ? put(std::move((*first)[i]), batch) : put((*first)[i], batch);
        sent += count;
        if (sent < first->size())
          return;
      }
      sent = 0;
      queue.pop_front();
    }
    template <class Event>
    void put(Event&& item, std::vector<event>& batch) const {
      if (wants_signals)
        filter.deliver(std::forward<Event>(item), batch);
      else
        batch.push_back(std::forward<Event>(item));
    }
  };
  struct producer_state {
    producer_actor handle;
    std::vector<shared_identity> runs;
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
  store_actor journal; ///< null until a live run has opened it
  run_numbers known_runs;
  batch_index index; ///< of the batch at hand

  void init() {}

  topics_actor::behavior_type make_behavior() {
    return {
        [this](const subscribe& message) { return add(message); },
        [this](const unsubscribe& message) { remove(message.id); },
        [this](const use_journal& message) { journal = message.store; },
        [this](publish& message) { return accept(message); },
        [this](const flush_topics&) -> caf::result<topics_flushed> {
          flush_state waiting{promise_answer<topics_flushed>(self),
                              positions([](auto&) { return true; })};
          auto promise = waiting.promise;
          flushes.push_back(std::move(waiting));
          release_waiting();
          return promise;
        },
        [this](const register_producer& message) {
          producers.push_back({message.producer, message.runs});
          // One that dies without a word must not be kept, nor asked, for ever.
          on_exit(message.producer,
                  [bus = weak_handle<topics_actor>{topics_actor{self}},
                   address = weak_handle<producer_actor>{message.producer}](const caf::error&) {
                    if (auto strong = bus.lock())
                      if (auto gone = address.lock())
                        send_anonymously(strong, deregister_producer{gone});
                  });
          return interest_list{masks_for(message.runs)};
        },
        [this](const deregister_producer& message) {
          std::erase_if(producers,
                        [&](const auto& item) { return item.handle == message.producer; });
        },
    };
  }

  std::vector<interest> masks_for(const std::vector<shared_identity>& runs) const {
    std::vector<interest> masks(runs.size());
    for (const auto& [id, subscriber] : subscribers)
      for (std::size_t i = 0; i < runs.size(); ++i)
        masks[i] |= subscriber.asks_of(*runs[i]);
    return masks;
  }

  caf::result<subscribed> add(const subscribe& message) {
    const auto id = ++last_id;
    const auto& topics = message.wanted.topics;
    const bool wants_signals =
        std::find(topics.begin(), topics.end(), topic::signal) != topics.end();
    subscribers.emplace(id,
                        subscriber_state{message.subscriber, subscription_filter{message.wanted},
                                         wants_signals, message.built_in});
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
    for (const auto& producer : producers)
      request(self, producer.handle, caf::infinite, interest_changed{masks_for(producer.runs)})
          .then(
              [answer, one_less](const interest_noted& noted) mutable {
                answer->runs.insert(answer->runs.end(), noted.runs.begin(), noted.runs.end());
                one_less();
              },
              [one_less](const caf::error&) mutable { one_less(); }); // the run is over
    return promise;
  }

  void remove(subscription_id id) {
    if (subscribers.erase(id) == 0)
      return;
    for (const auto& producer : producers)
      request(self, producer.handle, caf::infinite, interest_changed{masks_for(producer.runs)})
          .then([](const interest_noted&) {}, [](const caf::error&) {}); // the run may be over
    release_waiting();
  }

  caf::result<published> accept(publish& news) {
    distribute(std::move(news.events));
    distribute(std::move(news.idle));
    for (auto& [id, subscriber] : subscribers) {
      pump(id, subscriber);
      catch_up(id, subscriber);
    }
    publisher_state publisher{promise_answer<published>(self),
                              positions([](const auto& item) { return item.built_in; })};
    auto promise = publisher.promise;
    publishers.push_back(std::move(publisher));
    release_waiting();
    return promise;
  }

  void distribute(std::vector<event> events) {
    if (events.empty())
      return;
    mark(events);
    const bool waits = self->current_sender() != nullptr || mode_of(events) != run_mode::live;
    const auto all = std::make_shared<std::vector<event>>(std::move(events));
    std::size_t takers = 0;
    for (auto& [id, subscriber] : subscribers) {
      subscriber.wanted = count_wanted(subscriber, *all);
      if (!waits && is_too_slow(subscriber) && (subscriber.wanted > 0 || subscriber.is_behind()))
        leave_out(subscriber, *all);
      takers += subscriber.wanted > 0;
    }
    for (auto& [id, subscriber] : subscribers)
      if (subscriber.wanted == all->size())
        subscriber.take(all);
      else if (subscriber.wanted > 0)
        subscriber.take(wanted_of(subscriber, *all, takers == 1));
  }

  void distribute(std::vector<idle_stretch> idle) {
    if (idle.empty())
      return;
    const auto all = std::make_shared<const std::vector<idle_stretch>>(std::move(idle));
    for (auto& [id, subscriber] : subscribers)
      if (subscriber.takes_idle_stretches())
        subscriber.take(all);
  }

  void mark(const std::vector<event>& events) {
    if (known_runs.is_full()) {
      known_runs.clear();
      for (auto& [id, subscriber] : subscribers)
        subscriber.of_runs.clear();
    }
    index.build(events, known_runs);
  }

  /// `found(place)` for every event it wants, run by run.
  template <class Found>
  void find_wanted(const subscriber_state& subscriber, const std::vector<event>& events,
                   Found found) const {
    for (const auto& group : index.groups)
      if (group.run == 0 || !subscriber.of_runs[group.run].empty())
        for (const auto place : group.events)
          if (subscriber.wants(events[place], index.marks[place]))
            found(place);
  }

  std::size_t count_wanted(subscriber_state& subscriber, const std::vector<event>& events) {
    subscriber.learn(known_runs);
    std::size_t wanted = 0;
    find_wanted(subscriber, events, [&wanted](std::uint32_t) { ++wanted; });
    return wanted;
  }

  /// A part is its own, so that a slow subscriber does not keep the whole.
  shared_batch wanted_of(const subscriber_state& subscriber, std::vector<event>& events,
                         bool is_last_user) const {
    auto own = std::make_shared<std::vector<event>>();
    own->reserve(subscriber.wanted);
    std::vector<std::uint32_t> places;
    places.reserve(subscriber.wanted);
    find_wanted(subscriber, events, [&places](std::uint32_t place) { places.push_back(place); });
    if (index.groups.size() > 1)
      std::sort(places.begin(), places.end());
    for (const auto place : places)
      is_last_user ? own->push_back(std::move(events[place])) : own->push_back(events[place]);
    return own;
  }

  // -- live subscribers that are too slow: the journal keeps their events -----------------

  /// A live run that does not wait for the answer waits for nobody, and no backlog grows for ever.
  bool is_too_slow(const subscriber_state& subscriber) const {
    return !subscriber.built_in && journal &&
           (subscriber.is_behind() || subscriber.backlog() >= backlog_high_water);
  }

  void leave_out(subscriber_state& subscriber, const std::vector<event>& events) {
    const bool is_first = !subscriber.is_behind();
    for (std::size_t i = 0; i < events.size(); ++i)
      if (const auto number = events[i].number; number > 0)
        subscriber.missed.add(number, number); // wanted or not, so that stretches grow together
      else if (subscriber.wants(events[i], index.marks[i]))
        ++subscriber.left_out;
    subscriber.wanted = 0;
    if (is_first)
      tell_behind(
          fmt::format("a listener is {} events behind; it gets live events from the journal "
                      "once it has caught up, and those that no journal keeps not at all",
                      subscriber.backlog()));
  }

  void catch_up(subscription_id id, subscriber_state& subscriber) {
    if (!subscriber.is_behind() || subscriber.is_reading ||
        subscriber.backlog() > backlog_high_water / 2)
      return;
    if (subscriber.missed.empty())
      return tell_caught_up(subscriber);
    subscriber.is_reading = true;
    const auto found = std::make_shared<journal_stretch>();
    const auto read = [found, first = subscriber.missed.first(),
                       last = subscriber.missed.last_of_first()](store& from) {
      const auto bounds = find_journal_bounds(from);
      if (bounds.first > first) {
        found->first_kept = bounds.first;
        return;
      }
      const auto count = static_cast<std::size_t>(last - first) + 1;
      found->lines = read_journal(from, first, std::min(count, catch_up_size));
    };
    request(self, journal, caf::infinite, ask_store{read})
        .then(
            [this, id, found](const store_answer& answer) {
              const auto subscriber_of_id = subscribers.find(id);
              if (subscriber_of_id == subscribers.end())
                return;
              subscriber_of_id->second.is_reading = false;
              if (answer.problem) // the next events try again
                return tell_behind("a listener cannot catch up: " + answer.problem->message);
              take_read(subscriber_of_id->second, *found);
              pump(id, subscriber_of_id->second);
              catch_up(id, subscriber_of_id->second);
              release_waiting();
            },
            [](const caf::error&) {}); // the store ends with the runtime
  }

  void take_read(subscriber_state& subscriber, const journal_stretch& found) {
    if (found.first_kept > 0 || found.lines.empty()) {
      const auto first = subscriber.missed.first();
      const auto last = found.first_kept > 0
                            ? std::min(found.first_kept - 1, subscriber.missed.last_of_first())
                            : subscriber.missed.last_of_first();
      tell_behind(fmt::format("a listener was so far behind that the journal no longer keeps the "
                              "events {} to {}",
                              first, last));
      return subscriber.missed.remove_up_to(last);
    }
    const auto events = std::make_shared<std::vector<event>>();
    for (const auto& line : found.lines) {
      auto item = parse_event_line(line.text, error_code::store_failed).item;
      item.number = line.number;
      if (subscriber.filter.wants(item))
        events->push_back(std::move(item));
    }
    if (!events->empty())
      subscriber.take(events);
    subscriber.missed.remove_up_to(found.lines.back().number);
  }

  void tell_caught_up(subscriber_state& subscriber) {
    const auto count = std::exchange(subscriber.left_out, 0);
    tell_behind(fmt::format("a listener has caught up; {} events that no journal keeps were not "
                            "kept for it",
                            count));
  }

  void tell_behind(std::string message) {
    send_anonymously(
        topics_actor{self},
        publish{{{topic::error, error_event{error_code::listener_behind, std::move(message),
                                            "topics", std::nullopt, nullptr}}}});
  }

  void pump(subscription_id id, subscriber_state& subscriber) {
    if (subscriber.in_flight > 0 || subscriber.queue.empty())
      return;
    request(self, subscriber.handle, caf::infinite, subscriber.next_batch())
        .then([this, id](const batch_done&) { credit(id); },
              [this, id](const caf::error&) { remove(id); });
  }

  void credit(subscription_id id) {
    const auto found = subscribers.find(id);
    if (found == subscribers.end())
      return;
    auto& subscriber = found->second;
    subscriber.applied += std::exchange(subscriber.in_flight, 0);
    pump(id, subscriber);
    catch_up(id, subscriber);
    release_waiting();
  }

  template <class Predicate>
  needed_positions positions(Predicate predicate) const {
    needed_positions needed;
    for (const auto& [id, subscriber] : subscribers)
      if (predicate(subscriber))
        needed.push_back(
            {id, subscriber.accepted, subscriber.missed.empty() ? 0 : subscriber.missed.last()});
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
          return false;
        item.missed = 0; // what was missed is in the queue by now
        item.accepted = subscriber.accepted;
      }
      return subscriber.applied >= item.accepted;
    });
  }

  bool has_room() const {
    return std::all_of(subscribers.begin(), subscribers.end(), [](const auto& item) {
      return item.second.backlog() <= backlog_high_water;
    });
  }

  void release_waiting() {
    const bool room = has_room();
    std::erase_if(publishers, [&](auto& waiting) {
      const bool done = room && reached(waiting.needed);
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
