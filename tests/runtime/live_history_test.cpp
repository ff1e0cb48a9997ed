#include "runtime/live_history.hpp"

#include "messages/event_json.hpp"
#include "tests/runtime/sample_ticks.hpp"

#include <doctest/doctest.h>

using namespace backtest;
using namespace backtest::testing;

namespace {

/// The closes of a run as its journal has them from a number on, told on both topics.
std::vector<journal_line> closes_of(const shared_identity& run, const std::vector<double>& returns,
                                    std::int64_t first) {
  std::vector<journal_line> lines;
  for (const auto& trade : trades_of(returns))
    for (const auto on : {topic::signal, topic::signal_live}) {
      std::string text;
      append_event_line(text, first, on, {on, closed_trade(run, trade)});
      lines.push_back({first++, std::move(text)});
    }
  return lines;
}

} // namespace

TEST_CASE("live history: closed signals that the journal no longer holds are told") {
  const auto run = live_identity(), other = live_identity("ETHUSDT");
  live_history history{{*run, *other}};
  history.add(closes_of(run, {1, -1, 2}, 101));
  history.add(closes_of(other, {1}, 201));
  history.expect_closed(*run, 3);
  history.expect_closed(*other, 1);
  history.expect_closed(*live_identity("unknown"), 9);
  CHECK_FALSE(history.problem());
  history.expect_closed(*run, 8);
  const auto problem = history.problem();
  REQUIRE(problem);
  CHECK(problem->code == error_code::journal_truncated);
  CHECK(problem->message ==
        "reports and statistics of resumed runs are incomplete: 5 of 9 closed signals are older "
        "than the journal keeps (journal_max_age_days, journal_max_bytes)");
  CHECK(history.take_events().size() == 8);
  history.add({{300, "{"}});
  CHECK(history.problem()->code == error_code::corrupt_state); // tells why more may be missing
}
