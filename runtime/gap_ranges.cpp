#include "runtime/gap_ranges.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace backtest {

namespace {

/// "2024-01-03T10:00": instants of runs are whole minutes.
std::string text_of_minute(instant when) {
  constexpr std::size_t length = 16;
  return to_iso(when).substr(0, length);
}

} // namespace

bool gap_ranges::are_neighbours(instant apart) const noexcept {
  constexpr std::array throttles{interval::m1,  interval::m3,  interval::m5,
                                 interval::m15, interval::m30, interval::h1};
  return apart == step_ || std::any_of(throttles.begin(), throttles.end(), [&](interval size) {
           return apart == std::max(step_, length_of(size));
         });
}

bool gap_ranges::add(instant when) {
  if (!ranges_.empty()) {
    auto& range = ranges_.back();
    const instant apart = when - range.last;
    if (range.spacing == 0 ? are_neighbours(apart) : apart == range.spacing) {
      range.last = when;
      range.spacing = apart;
      ++range.count;
      return true;
    }
  }
  ranges_.push_back({when, when, 1, 0});
  return false;
}

std::string count_text(const gap_range& range) {
  return fmt::format("{} {}{}", range.count, range.spacing > minute_ms ? "instant" : "minute",
                     range.count == 1 ? "" : "s");
}

std::string to_text(const gap_range& range) {
  const auto first = text_of_minute(range.first);
  auto last = text_of_minute(range.last);
  if (range.first == range.last)
    return fmt::format("{}Z: {}", first, count_text(range));
  if (align_down(range.first, day_ms) == align_down(range.last, day_ms))
    last = last.substr(last.find('T') + 1);
  return fmt::format("{}Z - {}Z: {}", first, last, count_text(range));
}

} // namespace backtest
