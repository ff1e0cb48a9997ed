#include "actors/http/retry_after.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace backtest {

namespace {

/// A hundred years: more is not meant as a time to wait.
constexpr std::int64_t most_seconds = 3'155'760'000;

std::optional<std::int64_t> to_number(std::string_view digits) noexcept {
  std::int64_t value = 0;
  const char* const end = digits.data() + digits.size();
  const auto [last, status] = std::from_chars(digits.data(), end, value);
  if (status != std::errc{} || last != end || value < 0)
    return std::nullopt;
  return value;
}

std::optional<unsigned> to_month(std::string_view name) noexcept {
  constexpr std::array<std::string_view, 12> names{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end())
    return std::nullopt;
  return static_cast<unsigned>(found - names.begin()) + 1;
}

/// "Sun, 06 Nov 1994 08:49:37 GMT"; the name of the day is not looked at.
std::optional<instant> parse_http_date(std::string_view text) noexcept {
  constexpr std::string_view pattern = "???, ?? ??? ???? ??:??:?? GMT";
  if (text.size() != pattern.size())
    return std::nullopt;
  for (std::size_t i = 0; i < pattern.size(); ++i)
    if (pattern[i] != '?' && text[i] != pattern[i])
      return std::nullopt;
  const auto day = to_number(text.substr(5, 2));
  const auto month = to_month(text.substr(8, 3));
  const auto year = to_number(text.substr(12, 4));
  const auto hour = to_number(text.substr(17, 2));
  const auto minute = to_number(text.substr(20, 2));
  const auto second = to_number(text.substr(23, 2));
  if (!day || !month || !year || !hour || !minute || !second)
    return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year{static_cast<int>(*year)},
                                         std::chrono::month{*month},
                                         std::chrono::day{static_cast<unsigned>(*day)}};
  if (!date.ok() || *hour > 23 || *minute > 59 || *second > 60) // 60: a leap second
    return std::nullopt;
  const instant midnight = std::chrono::sys_days{date}.time_since_epoch().count() * day_ms;
  return midnight + (*hour * 60 + *minute) * minute_ms + *second * 1000;
}

} // namespace

std::optional<std::chrono::milliseconds> parse_retry_after(std::string_view text,
                                                           instant now) noexcept {
  if (const auto seconds = to_number(text))
    return std::chrono::seconds{std::min(*seconds, most_seconds)};
  if (const auto date = parse_http_date(text))
    return std::chrono::milliseconds{std::max<instant>(*date - now, 0)};
  return std::nullopt;
}

} // namespace backtest
