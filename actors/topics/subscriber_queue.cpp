#include "actors/topics/subscriber_queue.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace backtest {

namespace {

/// Copies, or moves where `From` is a move iterator.
template <class From>
void put(From first, From last, const subscription_filter& wanted, std::vector<event>& batch) {
  if (!wanted.wants_signals())
    batch.insert(batch.end(), first, last);
  else
    for (; first != last; ++first)
      wanted.deliver(*first, batch);
}

} // namespace

void subscriber_queue::take(shared_list events) {
  accepted_ += events->size();
  lists_.push_back({std::move(events), nullptr});
}

std::vector<event>& subscriber_queue::take_part(std::size_t count) {
  accepted_ += count;
  if (lists_.empty() || !lists_.back().is_part ||
      lists_.back().events->size() + count > batch_size) {
    lists_.push_back({std::make_shared<std::vector<event>>(), nullptr, true});
    lists_.back().events->reserve(count);
  }
  return *lists_.back().events;
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
  const auto begin = first.begin() + static_cast<std::ptrdiff_t>(sent_);
  const auto end = begin + static_cast<std::ptrdiff_t>(count);
  if (is_last_user)
    put(std::move_iterator{begin}, std::move_iterator{end}, wanted, batch);
  else
    put(begin, end, wanted, batch);
  sent_ += count;
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
