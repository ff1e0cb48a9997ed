#include "actors/topics/missed_events.hpp"

#include "messages/event_json.hpp"
#include "storage/journal.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace backtest {

missed_events read_missed_events(const store_reader& from, std::int64_t first, std::int64_t last,
                                 std::size_t most, const subscription_filter& wanted) {
  missed_events found;
  const auto kept = find_journal_bounds(from);
  if (kept.first > first || kept.last < first) {
    found.last = kept.first > first ? std::min(kept.first - 1, last) : last;
    found.lost = fmt::format("a listener was so far behind that the journal no longer keeps the "
                             "events {} to {}",
                             first, found.last);
    return found;
  }
  const auto count = std::min(static_cast<std::size_t>(last - first) + 1, most);
  for (const auto& line : read_journal(from, first, count)) {
    event item;
    try {
      item = parse_event_line(line.text, error_code::store_failed).item;
    } catch (const failure& problem) {
      if (line.number > first)
        return found; // the next call begins with it
      found.last = line.number;
      found.lost = fmt::format("the event {} is lost for a listener that catches up: {}",
                               line.number, problem.what());
      return found;
    }
    found.last = line.number;
    item.number = line.number;
    if (wanted.wants(item))
      found.events.push_back(std::move(item));
  }
  return found;
}

} // namespace backtest
