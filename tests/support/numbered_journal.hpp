#pragma once

#include "messages/event.hpp"
#include "storage/journal.hpp"

#include <memory>
#include <string>
#include <vector>

namespace backtest::testing {

/// An event that the journal takes: a signal of `symbol` was opened.
inline event opened_signal(const std::string& symbol, instant when = 60'000) {
  tick_result tick;
  tick.action = tick_action::opened;
  tick.run = std::make_shared<const run_identity>(
      run_identity{symbol, "grid", "exchange", "", run_mode::live});
  tick.timestamp = when;
  tick.signal = std::make_shared<const signal_row>();
  return {topic::signal_live, tick};
}

/// An error of no run.
inline event plain_error(const std::string& message = "text") {
  return {topic::error, error_event{error_code::fetch_failed, message, "test", {}, nullptr}};
}

/// Adds events to the journal of a store, as the one who commits.
inline void add_to_journal(store& target, const std::vector<event>& items) {
  journal_writer writer{find_journal_bounds(target).last};
  store_batch batch;
  for (const auto& item : items)
    writer.append(batch, item);
  target.commit(batch);
}

inline void erase_from_journal(store& target, std::int64_t first, std::int64_t last) {
  store_batch batch;
  for (auto number = first; number <= last; ++number)
    batch.erase(store_space::journal, journal_key(number));
  target.commit(batch);
}

inline std::vector<std::int64_t> numbers_of(const std::vector<journal_line>& lines) {
  std::vector<std::int64_t> numbers;
  for (const auto& line : lines)
    numbers.push_back(line.number);
  return numbers;
}

} // namespace backtest::testing
