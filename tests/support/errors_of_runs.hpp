#pragma once

#include "actors/strategy/run_rows.hpp"
#include "messages/event_json.hpp"
#include "runtime/portfolio.hpp"
#include "tests/support/live_fixture.hpp"

#include <map>
#include <string>
#include <vector>

namespace backtest::testing {

/// "strategy symbol" of runs with at least one error event, and how many they have.
using errors_of_runs = std::map<std::string, std::int64_t>;

inline std::string run_name(const run_identity& run) {
  return run.strategy_name + ' ' + run.symbol;
}

inline errors_of_runs errors_among(const std::vector<event>& events) {
  errors_of_runs counts;
  for (const auto& item : events)
    if (item.on == topic::error && identity_of(item))
      ++counts[run_name(*identity_of(item))];
  return counts;
}

inline errors_of_runs errors_in_journal(const test_disk& disk) {
  std::vector<event> events;
  for (const auto& line : disk.journal())
    events.push_back(parse_event_line(line).item);
  return errors_among(events);
}

/// What `status` shows.
inline errors_of_runs errors_kept(test_disk& disk) {
  errors_of_runs counts;
  for (const auto& told : read_runs(disk.content()).errors)
    counts[run_name(told.run)] = told.count;
  return counts;
}

/// What `--json` shows.
inline errors_of_runs errors_in(const std::vector<run_summary>& summaries) {
  errors_of_runs counts;
  for (const auto& summary : summaries)
    if (summary.errors > 0)
      counts[run_name(*summary.identity)] = summary.errors;
  return counts;
}

} // namespace backtest::testing
