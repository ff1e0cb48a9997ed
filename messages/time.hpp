#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace backtest {

/// Unix time in milliseconds, UTC. Nothing in the library reads local time.
using instant = std::int64_t;

inline constexpr instant minute_ms = 60'000;
inline constexpr instant hour_ms = 60 * minute_ms;
inline constexpr instant day_ms = 24 * hour_ms;

/// Later than every real instant; what a run promises once it has nothing left to do.
inline constexpr instant end_of_time = INT64_MAX;

/// Candle sizes a source may be asked for; strategies throttle on 1m to 1h.
enum class interval : std::uint8_t { m1, m3, m5, m15, m30, h1, h2, h4, h6, h8, h12, d1, d3 };

inline constexpr std::size_t interval_count = 13;

/// Length in milliseconds, of one of them.
constexpr instant length_of(interval size) noexcept {
  constexpr std::array<int, interval_count> minutes{1,   3,   5,   15,  30,   60,  120,
                                                    240, 360, 480, 720, 1440, 4320};
  return minutes[static_cast<std::size_t>(size)] * minute_ms;
}

/// Rounds towards minus infinity to a multiple of `size` milliseconds (size > 0).
constexpr instant align_down(instant when, instant size) noexcept {
  const instant rest = when % size;
  return rest < 0 ? when - rest - size : when - rest;
}

/// Rounds towards plus infinity to a multiple of `size` milliseconds (size > 0).
constexpr instant align_up(instant when, instant size) noexcept {
  const instant down = align_down(when, size);
  return down == when ? when : down + size;
}

/// Hour of the UTC day, 0 to 23.
constexpr int hour_of_day(instant when) noexcept {
  return static_cast<int>((when - align_down(when, day_ms)) / (60 * minute_ms));
}

/// "1m", "15m", "1h", "1d" ...
std::string_view to_string(interval size) noexcept;
std::optional<interval> parse_interval(std::string_view text) noexcept;

bool is_candle_interval(interval size) noexcept;   ///< 1m .. 1d
bool is_strategy_interval(interval size) noexcept; ///< 1m .. 1h

/// ISO 8601 in UTC: "2024-01-01T00:00:00Z", with ".250" only when milliseconds are not zero.
std::string to_iso(instant when);
/// Always with milliseconds, as reports print times: "2024-01-01T00:00:00.000Z".
std::string to_iso_milliseconds(instant when);
/// Accepts "YYYY-MM-DD", "YYYY-MM-DDTHH:MM[:SS[.mmm]]" with an optional trailing "Z"; nothing else.
std::optional<instant> parse_iso(std::string_view text) noexcept;

} // namespace backtest
