#pragma once

#include "actors/topics/subscription_filter.hpp"
#include "messages/idle_stretch.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

namespace backtest {

/// Events that wait for one subscriber, and those that are on their way to it. A plain value.
class subscriber_queue {
public:
  /// Those who want all of a publisher's events share them.
  using shared_list = std::shared_ptr<std::vector<event>>;

  /// Events sent at once, and how often before the subscriber must be done with the first: while it
  /// works on one batch the next is on its way.
  static constexpr std::size_t batch_size = 1024;
  static constexpr std::size_t batches_in_flight = 2;

  /// What goes to the subscriber at once: idle stretches come behind the events.
  struct outgoing {
    std::vector<event> events;
    shared_idle_stretches idle;
  };

  /// Not empty, and wanted as a whole.
  void take(shared_list events);
  /// Where to append exactly `count` events, above 0, before anything else is done; parts that fit
  /// in one batch grow together.
  std::vector<event>& take_part(std::size_t count);
  /// Counts as one event.
  void take(shared_idle_stretches idle);

  /// Few events wait for others while a batch is on its way, so that they go together.
  bool may_send() const noexcept;
  /// The number that the next batch has, from 0 on.
  std::uint64_t next_number() const noexcept { return batches_done_ + in_flight_.size(); }
  /// Only while it may be sent. Lists go as a whole where they fit. As `wanted` delivers them:
  /// under every topic.
  outgoing next_batch(const subscription_filter& wanted);
  /// It was sent something and has not answered for it.
  bool owes_answer() const noexcept { return !in_flight_.empty(); }
  /// So many batches, in order, it has answered for.
  std::uint64_t batches_done() const noexcept { return batches_done_; }
  /// The subscriber is done with this batch.
  void note_done(std::uint64_t number);

  std::uint64_t accepted() const noexcept { return accepted_; } ///< events ever taken
  /// Of these, in order, the subscriber is done with so many.
  std::uint64_t applied() const noexcept { return applied_; }
  std::size_t backlog() const noexcept { return accepted_ - applied_; }

private:
  /// One or the other.
  struct waiting_list {
    shared_list events;
    shared_idle_stretches idle;
    bool is_part = false;
  };
  struct sent_batch {
    std::size_t events = 0;
    bool is_done = false;
  };

  std::size_t waiting() const noexcept { return backlog() - events_in_flight_; }
  std::size_t move_events(const subscription_filter& wanted, std::vector<event>& to);
  std::size_t put_from_first(std::size_t most, const subscription_filter& wanted,
                             std::vector<event>& batch);

  std::deque<waiting_list> lists_; ///< not sent yet, the first of them from `sent_` on
  std::size_t sent_ = 0;
  std::deque<sent_batch> in_flight_; ///< the oldest first
  std::size_t events_in_flight_ = 0;
  std::uint64_t batches_done_ = 0; ///< before those
  std::uint64_t accepted_ = 0;
  std::uint64_t applied_ = 0;
};

} // namespace backtest
