#include "actors/exchange/fetch_queue.hpp"

#include <vector>

#include <doctest/doctest.h>

using namespace backtest;

namespace {

/// Everything that can be fetched at `now`, in order.
std::vector<std::uint64_t> all_due(fetch_queue& queue, instant now = 0) {
  std::vector<std::uint64_t> tickets;
  while (const auto next = queue.next(now))
    tickets.push_back(*next);
  return tickets;
}

using ticket_list = std::vector<std::uint64_t>;

} // namespace

TEST_CASE("fetch queue: as many at once as there are threads, in order of arrival") {
  fetch_queue queue{2};
  queue.add(1, "A");
  queue.add(2, "B");
  queue.add(3, "C");
  CHECK(all_due(queue) == ticket_list{1, 2});
  queue.done("B", false);
  CHECK(all_due(queue) == ticket_list{3});
}

TEST_CASE("fetch queue: requests of one symbol are fetched one after the other") {
  fetch_queue queue{4};
  queue.add(1, "A");
  queue.add(2, "A");
  queue.add(3, "B");
  CHECK(all_due(queue) == ticket_list{1, 3});
  queue.done("A", false);
  CHECK(all_due(queue) == ticket_list{2});
}

TEST_CASE("fetch queue: who waits for the next attempt leaves its thread to others, and its symbol "
          "waits behind it") {
  fetch_queue queue{1};
  queue.add(1, "A");
  queue.add(2, "B");
  CHECK(all_due(queue) == ticket_list{1});
  CHECK(!queue.next_due());
  queue.postpone("A", 5000);
  CHECK(queue.next_due() == 5000);
  queue.add(3, "A");
  CHECK(all_due(queue, 4999) == ticket_list{2});
  queue.done("B", false);
  CHECK(all_due(queue, 4999).empty());
  CHECK(all_due(queue, 5000) == ticket_list{1});
  queue.done("A", false);
  CHECK(all_due(queue, 5000) == ticket_list{3});
}

TEST_CASE("fetch queue: symbols that failed come last, on half of the threads") {
  fetch_queue queue{4};
  for (const auto* symbol : {"A", "B", "C", "D"})
    queue.add(static_cast<std::uint64_t>(symbol[0] - 'A'), symbol);
  CHECK(all_due(queue) == ticket_list{0, 1, 2, 3});
  for (const auto* symbol : {"A", "B", "C"})
    queue.done(symbol, true);
  queue.done("D", false);
  queue.add(10, "A");
  queue.add(11, "B");
  queue.add(12, "C");
  queue.add(13, "D");
  queue.add(14, "E");
  CHECK(all_due(queue) == ticket_list{13, 14, 10, 11});
  queue.done("D", false);
  CHECK(all_due(queue).empty()); // two threads hang already
  queue.add(15, "D");
  CHECK(all_due(queue) == ticket_list{15});
  queue.done("A", false);
  CHECK(all_due(queue) == ticket_list{12});
}

TEST_CASE("fetch queue: one thread serves everybody, who failed last") {
  fetch_queue queue{1};
  queue.add(1, "A");
  CHECK(all_due(queue) == ticket_list{1});
  queue.done("A", true);
  queue.add(2, "A");
  queue.add(3, "B");
  CHECK(all_due(queue) == ticket_list{3});
  queue.done("B", false);
  CHECK(all_due(queue) == ticket_list{2});
}

TEST_CASE("fetch queue: a request that is not wanted any more leaves its place to the next") {
  fetch_queue queue{1};
  queue.add(1, "A");
  queue.add(2, "A");
  queue.add(3, "B");
  queue.add(4, "C");
  CHECK(all_due(queue) == ticket_list{1});
  queue.remove(2, "A"); // behind the one under way
  queue.remove(3, "B"); // all there is of its symbol
  CHECK(queue.first_of("A") == 1);
  CHECK(queue.first_of("B") == std::nullopt);
  queue.postpone("A", 100);
  CHECK(all_due(queue) == ticket_list{4});
  queue.add(5, "A");
  queue.remove(1, "A"); // it waited for its next attempt
  CHECK(queue.next_due() == std::nullopt);
  queue.done("C", false);
  CHECK(all_due(queue) == ticket_list{5});
  queue.done("A", false);
  queue.add(6, "B");
  CHECK(all_due(queue) == ticket_list{6});
}
