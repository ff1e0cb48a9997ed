#include "tests/support/live_fixture.hpp"

using namespace backtest;
using namespace backtest::testing;

namespace {

/// Only the ends of its journal can be read.
struct unreadable_journal : shared_store {
  using shared_store::shared_store;
  std::vector<store_entry> scan(store_space space, std::string_view prefix, std::string_view from,
                                std::size_t limit) const override {
    auto found = shared_store::scan(space, prefix, from, limit);
    if (space == store_space::journal && limit > 1 && !found.empty())
      throw failure(error_code::store_failed, "unreadable");
    return found;
  }
};

} // namespace

TEST_CASE("live: a journal whose old entries cannot be read is told once, and the run goes on") {
  const watchdog guard;
  auto options = quiet();
  options.parameters.journal_max_age_days = 1;
  options.open_store = [] {
    return std::make_unique<unreadable_journal>(std::shared_ptr<store>{make_memory_store()});
  };
  runtime target{options};
  add_basics(target, buy, 5 * day_ms);
  heard_events heard{target, {topic::error}};
  auto run = target.live().background(one_buyer(at_full_speed()));
  run.wait();
  CHECK(run.summaries().front().outcome == run_outcome::completed);
  CHECK(run.summaries().front().counters.closed > 5);
  CHECK(heard.count(error_code::store_failed) == 1);
  for (const auto& problem : heard.of<error_event>())
    if (problem.code == error_code::store_failed) {
      CHECK(problem.source == "store");
      CHECK(problem.message.find("journal: old entries from number 1 on cannot be read") == 0);
    }
}
