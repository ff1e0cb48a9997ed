// The rule for whoever commits: after a failure the same batch with the same numbers, until it is
// acknowledged. Then everything is there once, whatever became of the failed commits.
#include "storage/journal_retention.hpp"
#include "storage/memory_store.hpp"
#include "tests/support/faulty_store.hpp"

#include <doctest/doctest.h>

#include <random>

using namespace backtest;
using namespace backtest::testing;

TEST_CASE("commit retry: each batch is there exactly once, whatever became of the failed commits") {
  for (const std::uint64_t seed : {1U, 2U, 3U, 4U, 5U}) {
    CAPTURE(seed);
    std::mt19937_64 random{seed};
    faulty_store target{make_memory_store(),
                        [&random] { return static_cast<faulty_store::fate>(random() % 3); }};
    journal_writer writer;
    journal_retention retention{target, {0, 4000}};
    for (int round = 0; round < 300; ++round) {
      store_batch batch;
      for (auto count = random() % 4; count > 0; --count)
        retention.added(writer.append(
            batch,
            {topic::error, error_event{error_code::fetch_failed, "text", "test", round, {}}}));
      batch.put(store_space::state, "run", std::to_string(round));
      retention.apply(batch, target, 0);
      for (bool acknowledged = false; !acknowledged;)
        try {
          target.reopen();
          target.commit(batch);
          acknowledged = true;
        } catch (const failure& problem) {
          REQUIRE(problem.code() == error_code::store_failed);
        }
      const auto bounds = find_journal_bounds(target);
      REQUIRE(bounds == retention.bounds());
      REQUIRE(bounds.last == writer.last());
      if (bounds.first > 0) {
        const auto kept = read_journal(target, bounds.first).size();
        REQUIRE(kept == static_cast<std::size_t>(bounds.last - bounds.first + 1));
      }
      REQUIRE(journal_retention{target, {}}.bytes() == retention.bytes());
      REQUIRE(target.get(store_space::state, "run") == std::to_string(round));
    }
    CHECK(writer.last() > find_journal_bounds(target).first);
  }
}
