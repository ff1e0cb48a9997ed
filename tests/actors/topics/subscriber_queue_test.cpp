#include "actors/topics/subscriber_queue.hpp"

#include <doctest/doctest.h>

using namespace backtest;

namespace {

constexpr auto batch_size = subscriber_queue::batch_size;

using shared_list = subscriber_queue::shared_list;
using event_numbers = std::vector<std::int64_t>;

/// Numbered from `first` on.
shared_list list_of(std::size_t count, std::int64_t first = 1) {
  auto events = std::make_shared<std::vector<event>>(count);
  for (auto& item : *events)
    item.number = first++;
  return events;
}

event_numbers numbers_in(const std::vector<event>& events) {
  event_numbers found;
  for (const auto& item : events)
    found.push_back(item.number);
  return found;
}

const subscription_filter of_errors{{{topic::error}, {}, {}, {}}};

} // namespace

TEST_CASE("subscriber queue: lists go together as long as they fit as a whole") {
  subscriber_queue queue;
  CHECK(!queue.may_send());
  queue.take(list_of(2, 1));
  queue.take(list_of(1, 3));
  queue.take(list_of(batch_size - 2, 4));
  CHECK(queue.may_send());
  CHECK(numbers_in(queue.next_batch(of_errors).events) == event_numbers{1, 2, 3});
  CHECK(queue.next_batch(of_errors).events.size() == batch_size - 2);
  CHECK(queue.accepted() == batch_size + 1);
  CHECK(queue.applied() == 0);
}

TEST_CASE("subscriber queue: a list that is too long goes in parts") {
  subscriber_queue queue;
  const auto shared = list_of(2 * batch_size + 1);
  queue.take(shared);
  queue.take(list_of(1, 3000));
  const auto first = queue.next_batch(of_errors).events;
  CHECK(first.size() == batch_size);
  CHECK(first.back().number == static_cast<std::int64_t>(batch_size));
  CHECK(queue.next_batch(of_errors).events.front().number ==
        static_cast<std::int64_t>(batch_size) + 1);
  queue.note_done(0);
  CHECK(!queue.may_send()); // two are left, while one is on its way
  queue.note_done(1);
  CHECK(numbers_in(queue.next_batch(of_errors).events) ==
        event_numbers{static_cast<std::int64_t>(2 * batch_size) + 1, 3000});
  CHECK(shared->back().number == static_cast<std::int64_t>(2 * batch_size) + 1);
}

TEST_CASE("subscriber queue: a second batch goes along with the first when it is half full") {
  subscriber_queue queue;
  queue.take(list_of(1));
  CHECK(queue.next_number() == 0);
  queue.next_batch(of_errors);
  queue.take(list_of(batch_size / 2 - 1));
  CHECK(!queue.may_send());
  queue.take(list_of(1));
  CHECK(queue.may_send());
  CHECK(queue.next_number() == 1);
  queue.next_batch(of_errors);
  queue.take(list_of(batch_size));
  CHECK(!queue.may_send());
  queue.note_done(0);
  CHECK(queue.may_send());
}

TEST_CASE("subscriber queue: what is applied is applied in order, however it is answered") {
  subscriber_queue queue;
  queue.take(list_of(600));
  queue.next_batch(of_errors);
  queue.take(list_of(700));
  queue.next_batch(of_errors);
  queue.note_done(1);
  CHECK(queue.applied() == 0);
  CHECK(queue.backlog() == 1300);
  queue.note_done(0);
  CHECK(queue.applied() == 1300);
  CHECK(queue.backlog() == 0);
  CHECK(queue.next_number() == 2);
}

TEST_CASE("subscriber queue: the last who holds a list moves it, the others copy") {
  subscriber_queue one, other;
  auto shared = list_of(3);
  const auto* where = shared->data();
  one.take(shared);
  other.take(std::move(shared));
  const auto copied = one.next_batch(of_errors).events;
  CHECK(copied.data() != where);
  const auto moved = other.next_batch(of_errors).events;
  CHECK(moved.data() == where);
  CHECK(numbers_in(copied) == numbers_in(moved));
}

TEST_CASE("subscriber queue: parts grow together up to a batch, and go without a copy") {
  subscriber_queue queue;
  const auto take_part = [&queue](std::size_t count, std::int64_t first) {
    auto& part = queue.take_part(count);
    for (std::size_t i = 0; i < count; ++i)
      part.emplace_back().number = first + static_cast<std::int64_t>(i);
    return &part;
  };
  const auto* part = take_part(2, 1);
  CHECK(take_part(batch_size - 2, 3) == part);
  CHECK(take_part(1, 2000) != part);
  queue.take(list_of(1, 2001));
  take_part(1, 2002);
  CHECK(queue.accepted() == batch_size + 3);
  const auto* where = part->data();
  const auto first = queue.next_batch(of_errors).events;
  CHECK(first.data() == where);
  CHECK(first.size() == batch_size);
  CHECK(first.back().number == static_cast<std::int64_t>(batch_size));
  queue.note_done(0);
  CHECK(numbers_in(queue.next_batch(of_errors).events) == event_numbers{2000, 2001, 2002});
  queue.note_done(1);
  CHECK(queue.backlog() == 0);
}

TEST_CASE("subscriber queue: a part that is longer than a batch goes in two") {
  subscriber_queue queue;
  auto& long_part = queue.take_part(batch_size + 1);
  long_part.resize(batch_size + 1);
  long_part.back().number = 1;
  CHECK(queue.next_batch(of_errors).events.size() == batch_size);
  queue.note_done(0);
  queue.take_part(1).emplace_back().number = 2;
  CHECK(numbers_in(queue.next_batch(of_errors).events) == event_numbers{1, 2});
}

TEST_CASE("subscriber queue: a tick goes out under its own topic and as a signal") {
  const subscription_filter both{{{topic::signal, topic::signal_backtest}, {}, {}, {}}};
  subscriber_queue queue;
  queue.take(std::make_shared<std::vector<event>>(
      std::vector<event>{{topic::signal_backtest, tick_result{}}}));
  const auto batch = queue.next_batch(both).events;
  REQUIRE(batch.size() == 2);
  CHECK(batch[0].on == topic::signal_backtest);
  CHECK(batch[1].on == topic::signal);
  queue.note_done(0);
  CHECK(queue.applied() == 1);
}

TEST_CASE("subscriber queue: idle stretches come behind the events before them") {
  const auto stretches = std::make_shared<const std::vector<idle_stretch>>(2);
  subscriber_queue queue;
  queue.take(list_of(1, 1));
  queue.take(stretches);
  queue.take(list_of(1, 2));
  CHECK(queue.accepted() == 3);
  auto next = queue.next_batch(of_errors);
  CHECK(numbers_in(next.events) == event_numbers{1});
  CHECK(next.idle == stretches);
  queue.note_done(0);
  CHECK(queue.applied() == 2);
  next = queue.next_batch(of_errors);
  CHECK(numbers_in(next.events) == event_numbers{2});
  CHECK(!next.idle);
  queue.note_done(1);
  queue.take(stretches);
  next = queue.next_batch(of_errors);
  CHECK(next.events.empty());
  CHECK(next.idle == stretches);
}
