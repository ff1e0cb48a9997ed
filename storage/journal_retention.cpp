#include "storage/journal_retention.hpp"

#include "messages/event_json.hpp"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

namespace backtest {

namespace {

constexpr std::string_view totals_key = "journal_totals";
constexpr std::size_t least_erased = 256; // per call, where as many are due

std::int64_t bytes_of(std::size_t key, std::size_t text) {
  return static_cast<std::int64_t>(key + text);
}

std::optional<instant> time_of(const std::string& line) {
  try {
    return instant_of(parse_event_line(line).item);
  } catch (const failure&) {
    return std::nullopt; // written by another version: its neighbour tells its age
  }
}

struct kept_totals {
  journal_bounds bounds;
  std::int64_t bytes = 0;
};

kept_totals totals_of(const store_reader& from) {
  const auto row = from.get(store_space::state, totals_key);
  if (!row)
    return {};
  try {
    const auto document = parse_json(*row);
    const json_reader in{document};
    return {{in.integer("first"), in.integer("last")}, in.integer("bytes")};
  } catch (const failure&) {
    return {}; // the entries themselves say what there is
  }
}

} // namespace

journal_bounds kept_by_retention(const store_reader& from) { return totals_of(from).bounds; }

journal_retention::journal_retention(const store_reader& from, journal_limits limits)
    : limits_(limits) {
  if (!read_totals(from))
    count(from);
}

bool journal_retention::read_totals(const store_reader& from) {
  const auto totals = totals_of(from);
  bounds_ = totals.bounds;
  bytes_ = totals.bytes;
  return bounds_.first > 0 && bounds_ == find_journal_bounds(from);
}

void journal_retention::count(const store_reader& from) {
  bounds_ = {};
  bytes_ = 0;
  constexpr std::size_t at_once = 1000;
  std::string next;
  while (true) {
    const auto entries = from.scan(store_space::journal, {}, next, at_once);
    for (const auto& entry : entries)
      bytes_ += bytes_of(entry.key.size(), entry.value.size());
    if (entries.size() < at_once)
      break;
    next = entries.back().key + '\0'; // the smallest key behind it
  }
  bounds_ = find_journal_bounds(from);
}

void journal_retention::added(const journal_entry& entry) {
  if (bounds_.first == 0)
    bounds_.first = entry.number;
  bounds_.last = entry.number;
  bytes_ += static_cast<std::int64_t>(entry.bytes);
  ++added_;
}

bool journal_retention::is_too_large() const noexcept {
  return limits_.max_bytes > 0 && bytes_ > limits_.max_bytes;
}

void journal_retention::apply(store_batch& batch, const store_reader& from, instant now) {
  const auto before = bounds_.first;
  const bool ages = limits_.max_age_days > 0;
  const instant oldest_kept =
      ages ? now - limits_.max_age_days * day_ms : std::numeric_limits<instant>::min();
  if (bounds_.first < bounds_.last && now >= next_attempt_ &&
      (is_too_large() || (ages && now >= next_age_check_)))
    try {
      erase_oldest(batch, from, oldest_kept);
      is_failing_ = false;
    } catch (const failure& caught) {
      // What is to be written must not fail because what is old cannot be read.
      next_attempt_ = now + minute_ms;
      if (!std::exchange(is_failing_, true))
        problem_ = error{error_code::store_failed,
                         fmt::format("journal: old entries from number {} on cannot be read and "
                                     "stay beyond their limits, for a minute at least: {}",
                                     bounds_.first, caught.what())};
    }
  if (added_ == 0 && bounds_.first == before)
    return;
  added_ = 0;
  std::string row;
  json_writer out{row};
  out.begin_object().key("first").integer(bounds_.first).key("last").integer(bounds_.last);
  out.key("bytes").integer(bytes_).end_object();
  batch.put(store_space::state, totals_key, row);
}

void journal_retention::erase_oldest(store_batch& batch, const store_reader& from,
                                     instant oldest_kept) {
  const std::size_t at_most = std::max(least_erased, 2 * added_);
  // One more, which tells when the next one is due.
  const auto entries = from.scan(store_space::journal, {}, journal_key(bounds_.first), at_most + 1);
  std::vector<std::optional<instant>> times(entries.size());
  if (limits_.max_age_days > 0)
    for (std::size_t i = entries.size(); i-- > 0;) {
      times[i] = time_of(entries[i].value);
      if (!times[i] && i + 1 < entries.size())
        times[i] = times[i + 1];
    }
  std::size_t erased = 0;
  while (erased < entries.size() && erased < at_most && bounds_.first < bounds_.last) {
    const bool too_old = times[erased] && *times[erased] < oldest_kept;
    if (!too_old && !is_too_large())
      break;
    const auto& entry = entries[erased];
    batch.erase(store_space::journal, entry.key);
    bytes_ -= bytes_of(entry.key.size(), entry.value.size());
    ++bounds_.first;
    ++erased;
  }
  if (erased < entries.size() && times[erased] && *times[erased] >= oldest_kept)
    next_age_check_ = *times[erased] + limits_.max_age_days * day_ms + 1;
  else if (erased < at_most && limits_.max_age_days > 0)
    next_age_check_ = oldest_kept + limits_.max_age_days * day_ms + minute_ms; // nothing known yet
}

} // namespace backtest
