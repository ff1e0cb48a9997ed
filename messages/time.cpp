#include "messages/time.hpp"

#include "messages/enum_names.hpp"

#include <chrono>

#include <fmt/format.h>

namespace backtest {

namespace {

constexpr std::array<std::string_view, interval_count> interval_names{
    "1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "3d"};

struct civil_time {
  int year;
  unsigned month, day;
  long long milliseconds_of_day;
};

civil_time to_civil(instant when) {
  const instant midnight = align_down(when, day_ms);
  const std::chrono::year_month_day date{
      std::chrono::sys_days{std::chrono::days{midnight / day_ms}}};
  return {static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
          static_cast<unsigned>(date.day()), when - midnight};
}

std::string format_iso(instant when, bool always_milliseconds) {
  const auto [year, month, day, rest] = to_civil(when);
  auto text = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", year, month, day,
                          rest / 3'600'000, rest / 60'000 % 60, rest / 1000 % 60);
  if (always_milliseconds || rest % 1000 != 0)
    text += fmt::format(".{:03}", rest % 1000);
  return text + 'Z';
}

/// Reads exactly `digits` decimal digits from the front of `text`.
std::optional<int> take_number(std::string_view& text, std::size_t digits) noexcept {
  if (text.size() < digits)
    return std::nullopt;
  int value = 0;
  for (std::size_t i = 0; i < digits; ++i) {
    if (text[i] < '0' || text[i] > '9')
      return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(digits);
  return value;
}

bool take(std::string_view& text, char expected) noexcept {
  if (text.empty() || text.front() != expected)
    return false;
  text.remove_prefix(1);
  return true;
}

} // namespace

std::string_view to_string(interval size) noexcept { return name_of(interval_names, size); }

std::optional<interval> parse_interval(std::string_view text) noexcept {
  for (std::size_t i = 0; i < interval_names.size(); ++i)
    if (interval_names[i] == text)
      return static_cast<interval>(i);
  return std::nullopt;
}

bool is_candle_interval(interval size) noexcept { return size <= interval::d1; }

bool is_strategy_interval(interval size) noexcept { return size <= interval::h1; }

std::string to_iso(instant when) { return format_iso(when, false); }

std::string to_iso_milliseconds(instant when) { return format_iso(when, true); }

std::optional<instant> parse_iso(std::string_view text) noexcept {
  const auto year = take_number(text, 4);
  if (!year || !take(text, '-'))
    return std::nullopt;
  const auto month = take_number(text, 2);
  if (!month || !take(text, '-'))
    return std::nullopt;
  const auto day = take_number(text, 2);
  if (!day)
    return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year{*year},
                                         std::chrono::month{static_cast<unsigned>(*month)},
                                         std::chrono::day{static_cast<unsigned>(*day)}};
  if (!date.ok())
    return std::nullopt;
  instant result = std::chrono::sys_days{date}.time_since_epoch().count() * day_ms;
  if (text.empty())
    return result;
  if (!take(text, 'T'))
    return std::nullopt;
  const auto hour = take_number(text, 2);
  if (!hour || *hour > 23 || !take(text, ':'))
    return std::nullopt;
  const auto minute = take_number(text, 2);
  if (!minute || *minute > 59)
    return std::nullopt;
  result += (*hour * 60 + *minute) * minute_ms;
  if (take(text, ':')) {
    const auto second = take_number(text, 2);
    if (!second || *second > 59)
      return std::nullopt;
    result += *second * 1000;
    if (take(text, '.')) {
      const auto milliseconds = take_number(text, 3);
      if (!milliseconds)
        return std::nullopt;
      result += *milliseconds;
    }
  }
  take(text, 'Z');
  return text.empty() ? std::optional{result} : std::nullopt;
}

} // namespace backtest
