#include "actors/topics/topics_actor.hpp"

#include <algorithm>
#include <map>
#include <tuple>

namespace backtest {

namespace {

/// Events sent to a subscriber before it must say that it is done with them.
constexpr std::size_t batch_size = 1024;

struct topics_state {
  struct subscriber_state {
    subscriber_actor handle;
    subscription_filter filter;
    bool built_in = false;
    std::vector<event> queue;      ///< not sent yet, from `sent` on
    std::size_t sent = 0;
    std::uint64_t accepted = 0;    ///< events ever queued
    std::uint64_t applied = 0;     ///< events the subscriber is done with
    std::size_t in_flight = 0;

    void take(event item) {
      const auto before = queue.size();
      filter.deliver(std::move(item), queue);
      accepted += queue.size() - before;
    }
    std::vector<event> next_batch() {
      std::vector<event> batch;
      if (sent == 0 && queue.size() <= batch_size) {
        batch.swap(queue);
        return batch;
      }
      const auto first = queue.begin() + static_cast<std::ptrdiff_t>(sent);
      const auto count = std::min(batch_size, queue.size() - sent);
      const auto last = first + static_cast<std::ptrdiff_t>(count);
      batch.assign(std::make_move_iterator(first), std::make_move_iterator(last));
      sent += count;
      if (2 * sent >= queue.size()) { // seldom enough that moving the rest costs nothing much
        queue.erase(queue.begin(), last);
        sent = 0;
      }
      return batch;
    }
  };
  struct producer_state {
    producer_actor handle;
    std::vector<shared_identity> runs;
  };
  /// How far subscribers must have come.
  using needed_positions = std::vector<std::pair<subscription_id, std::uint64_t>>;
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

  void init() {}

  topics_actor::behavior_type make_behavior() {
    return {
        [this](const subscribe& message) { return add(message); },
        [this](const unsubscribe& message) { remove(message.id); },
        [this](publish& message) { return accept(std::move(message.events)); },
        [this](const flush_topics&) -> caf::result<topics_flushed> {
          flush_state waiting{promise_answer<topics_flushed>(self), positions([](auto&) { return true; })};
          auto promise = waiting.promise;
          flushes.push_back(std::move(waiting));
          release_waiting();
          return promise;
        },
        [this](const register_producer& message) {
          producers.push_back({message.producer, message.runs});
          // One that dies without a word must not be kept, nor asked, for ever.
          on_exit(message.producer, [bus = weak_handle<topics_actor>{topics_actor{self}},
                                     address = weak_handle<producer_actor>{message.producer}](
                                        const caf::error&) {
            if (auto strong = bus.lock())
              if (auto gone = address.lock())
                send_anonymously(strong, deregister_producer{gone});
          });
          return interest_list{masks_for(message.runs)};
        },
        [this](const deregister_producer& message) {
          std::erase_if(producers, [&](const auto& item) { return item.handle == message.producer; });
        },
    };
  }

  std::vector<interest> masks_for(const std::vector<shared_identity>& runs) const {
    std::vector<interest> masks(runs.size());
    for (const auto& [id, subscriber] : subscribers)
      for (std::size_t i = 0; i < runs.size(); ++i)
        masks[i] |= subscriber.filter.interest_in(*runs[i]);
    return masks;
  }

  caf::result<subscribed> add(const subscribe& message) {
    const auto id = ++last_id;
    subscribers.emplace(id, subscriber_state{message.subscriber,
                                             subscription_filter{message.wanted},
                                             message.built_in, {}, 0, 0, 0, 0});
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

  caf::result<published> accept(std::vector<event> events) {
    if (!hand_on_whole(events))
      distribute(std::move(events));
    for (auto& [id, subscriber] : subscribers)
      pump(id, subscriber);
    publisher_state publisher{promise_answer<published>(self),
                              positions([](const auto& item) { return item.built_in; })};
    auto promise = publisher.promise;
    publishers.push_back(std::move(publisher));
    release_waiting();
    return promise;
  }

  /// The usual batch: one subscriber wants all of it, nobody else any of it. False: distribute it.
  bool hand_on_whole(std::vector<event>& events) {
    subscriber_state* only = nullptr;
    for (auto& [id, subscriber] : subscribers) {
      const auto& filter = subscriber.filter;
      if (std::none_of(events.begin(), events.end(),
                       [&](const auto& item) { return filter.wants(item); }))
        continue;
      if (only != nullptr || !subscriber.queue.empty() ||
          !std::all_of(events.begin(), events.end(),
                       [&](const auto& item) { return filter.passes_unchanged(item); }))
        return false;
      only = &subscriber;
    }
    if (only != nullptr) {
      only->accepted += events.size();
      only->queue = std::move(events);
    }
    return true;
  }

  void distribute(std::vector<event> events) {
    for (auto& item : events) {
      // Most events have one listener: the last one who wants it gets the event itself.
      subscriber_state* last = nullptr;
      for (auto& [id, subscriber] : subscribers)
        if (subscriber.filter.wants(item)) {
          if (last != nullptr)
            last->take(event{item});
          last = &subscriber;
        }
      if (last != nullptr)
        last->take(std::move(item));
    }
  }

  void pump(subscription_id id, subscriber_state& subscriber) {
    if (subscriber.in_flight > 0 || subscriber.queue.empty())
      return;
    event_batch batch{subscriber.next_batch()};
    subscriber.in_flight = batch.events.size();
    request(self, subscriber.handle, caf::infinite, std::move(batch))
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
    release_waiting();
  }

  template <class Predicate> needed_positions positions(Predicate predicate) const {
    needed_positions needed;
    for (const auto& [id, subscriber] : subscribers)
      if (predicate(subscriber))
        needed.emplace_back(id, subscriber.accepted);
    return needed;
  }

  bool reached(const needed_positions& needed) const {
    return std::all_of(needed.begin(), needed.end(), [this](const auto& item) {
      const auto found = subscribers.find(item.first);
      return found == subscribers.end() || found->second.applied >= item.second;
    });
  }

  bool has_room() const {
    return std::all_of(subscribers.begin(), subscribers.end(), [](const auto& item) {
      return item.second.accepted - item.second.applied <= backlog_high_water;
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
