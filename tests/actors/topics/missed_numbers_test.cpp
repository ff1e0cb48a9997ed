#include "actors/topics/missed_numbers.hpp"

#include <random>
#include <set>

#include <doctest/doctest.h>

using namespace backtest;

TEST_CASE("missed numbers: stretches that touch become one") {
  missed_numbers missed;
  CHECK(missed.empty());
  missed.add(6, 8);
  missed.add(12, 12);
  CHECK(missed.first() == 6);
  CHECK(missed.last_of_first() == 8);
  CHECK(missed.last() == 12);
  missed.add(1, 5); // another run's, committed earlier and told later
  CHECK(missed.first() == 1);
  CHECK(missed.last_of_first() == 8);
  missed.add(9, 11);
  CHECK(missed.last_of_first() == 12);
  missed.remove_up_to(3);
  CHECK(missed.first() == 4);
  CHECK(missed.last_of_first() == 12);
  missed.remove_up_to(12);
  CHECK(missed.empty());
}

TEST_CASE("missed numbers: the same as a set of numbers") {
  std::mt19937 random{7};
  for (int round = 0; round < 200; ++round) {
    missed_numbers missed;
    std::set<std::int64_t> expected;
    for (int step = 0; step < 60; ++step) {
      const std::int64_t first = 1 + static_cast<std::int64_t>(random() % 100);
      if (random() % 4 == 0) {
        missed.remove_up_to(first);
        expected.erase(expected.begin(), expected.upper_bound(first));
      } else {
        std::int64_t last = first + static_cast<std::int64_t>(random() % 5);
        const auto clash = expected.lower_bound(first);
        if (clash != expected.end() && *clash <= last)
          continue;
        missed.add(first, last);
        for (auto number = first; number <= last; ++number)
          expected.insert(number);
      }
      REQUIRE(missed.empty() == expected.empty());
      if (expected.empty())
        continue;
      CHECK(missed.first() == *expected.begin());
      CHECK(missed.last() == *expected.rbegin());
      auto end = missed.first();
      while (expected.count(end + 1) > 0)
        ++end;
      CHECK(missed.last_of_first() == end);
    }
  }
}
