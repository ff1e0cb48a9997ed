#include "actors/topics/subscriber_queue.hpp"

#include <algorithm>
#include <utility>

namespace backtest {

namespace {

template <class Event>
void put(Event&& item, const subscription_filter& wanted, std::vector<event>& batch) {
  if (wanted.wants_signals())
    wanted.deliver(std::forward<Event>(item), batch);
  else
    batch.push_back(std::forward<Event>(item));
}

} // namespace

void subscriber_queue::take(shared_list events) {
  accepted_ += events->size();
  lists_.push_back({std::move(events), nullptr});
}

void subscriber_queue::take(shared_idle_stretches idle) {
  ++accepted_;
  lists_.push_back({nullptr, std::move(idle)});
}

bool subscriber_queue::may_send() const noexcept {
  return !lists_.empty() && (in_flight_.empty() || (in_flight_.size() < batches_in_flight &&
                                                    waiting() >= batch_size / 2));
}

subscriber_queue::outgoing subscriber_queue::next_batch(const subscription_filter& wanted) {
  outgoing next;
  auto count = lists_.front().events ? move_events(wanted, next.events) : 0;
  if (!lists_.empty() && lists_.front().idle) {
    next.idle = std::move(lists_.front().idle);
    lists_.pop_front();
    ++count;
  }
  in_flight_.push_back({count});
  events_in_flight_ += count;
  return next;
}

/// How many went, of the lists in front.
std::size_t subscriber_queue::move_events(const subscription_filter& wanted,
                                          std::vector<event>& to) {
  std::size_t whole = 1;
  auto& first = lists_.front().events;
  auto count = std::min(first->size() - sent_, batch_size);
  while (whole < lists_.size() && lists_[whole].events &&
         count + lists_[whole].events->size() <= batch_size)
    count += lists_[whole++].events->size();
  if (first.use_count() == 1 && count == first->size() && !wanted.wants_signals()) {
    to = std::move(*first);
    lists_.pop_front();
    return count;
  }
  to.reserve(count);
  for (auto left = count; left > 0;)
    left -= put_from_first(left, wanted, to);
  return count;
}

std::size_t subscriber_queue::put_from_first(std::size_t most, const subscription_filter& wanted,
                                             std::vector<event>& batch) {
  auto& first = *lists_.front().events;
  const bool is_last_user = lists_.front().events.use_count() == 1;
  const auto count = std::min(first.size() - sent_, most);
  for (const auto end = sent_ + count; sent_ < end; ++sent_)
    if (is_last_user)
      put(std::move(first[sent_]), wanted, batch);
    else
      put(first[sent_], wanted, batch);
  if (sent_ == first.size()) {
    sent_ = 0;
    lists_.pop_front();
  }
  return count;
}

void subscriber_queue::note_done(std::uint64_t number) {
  in_flight_[number - batches_done_].is_done = true;
  for (; !in_flight_.empty() && in_flight_.front().is_done; in_flight_.pop_front()) {
    applied_ += in_flight_.front().events;
    events_in_flight_ -= in_flight_.front().events;
    ++batches_done_;
  }
}

} // namespace backtest
