#include "runtime/html_report_series.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

namespace backtest::html {

namespace {

constexpr std::array<std::string_view, 12> month_names{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/// The smallest of 1, 2, 5, 10, ... that is at least `step`.
double round_up(double step) {
  const double power = std::pow(10.0, std::floor(std::log10(step)));
  for (const double factor : {1.0, 2.0, 5.0})
    if (factor * power >= step * (1 - 1e-9))
      return factor * power;
  return 10 * power;
}

struct calendar_day {
  int year = 0;
  int month = 0;
  int day = 0;
};

calendar_day day_of(instant when) {
  const auto text = to_iso(when);
  const auto part = [&](std::size_t at, std::size_t size) {
    int value = 0;
    for (const char c : text.substr(at, size))
      value = 10 * value + (c - '0');
    return value;
  };
  return {part(0, 4), part(5, 2), part(8, 2)};
}

instant start_of_month(int year, int month) {
  return parse_iso(fmt::format("{:04}-{:02}-01", year, month)).value_or(0);
}

std::vector<time_mark> month_marks(instant from, instant until, int limit) {
  const auto first = day_of(from), last = day_of(until);
  const int months = (last.year - first.year) * 12 + last.month - first.month + 1;
  int step = 1;
  for (const int candidate : {1, 2, 3, 6, 12, 24, 60, 120, 600}) {
    step = candidate;
    if (months / step <= limit)
      break;
  }
  std::vector<time_mark> marks;
  for (int at = first.year * 12 + first.month - 1; at <= last.year * 12 + last.month - 1; ++at) {
    const instant when = start_of_month(at / 12, at % 12 + 1);
    if (at % step == 0 && when >= from && when <= until)
      marks.push_back(
          {when, fmt::format("{} {}", month_names[static_cast<std::size_t>(at % 12)], at / 12)});
  }
  return marks;
}

} // namespace

std::vector<trade_record> in_order(std::span<const std::span<const trade_record>> members) {
  std::vector<trade_record> all;
  for (const auto& member : members)
    std::copy_if(member.begin(), member.end(), std::back_inserter(all), is_valid);
  std::stable_sort(all.begin(), all.end(), closes_before);
  return all;
}

curves curves_of(std::span<const trade_record> in_order) {
  curves result;
  if (in_order.empty())
    return result;
  instant start = in_order.front().open_ts;
  for (const auto& trade : in_order)
    start = std::min(start, trade.open_ts);
  result.equity.push_back({start, 0});
  result.drawdown.push_back({start, 0});
  double equity = 1, peak = 1;
  for (const auto& trade : in_order) {
    const double worst = equity * (1 + std::min(trade.fall.value_or(0), 0.0) / 100);
    equity *= 1 + trade.pnl / 100;
    if (!std::isfinite(equity))
      break;
    const bool is_blown = equity <= 0 || worst <= 0;
    if (is_blown)
      equity = 0;
    const double lowest = std::max(0.0, std::min(worst, equity));
    result.equity.push_back({trade.close_ts, 100 * (equity - 1)});
    result.drawdown.push_back({trade.close_ts, std::min(0.0, 100 * (lowest - peak) / peak)});
    if (is_blown)
      break;
    peak = std::max(peak, equity);
  }
  return result;
}

std::vector<point> thinned(std::vector<point> points, std::size_t limit) {
  if (points.size() <= limit || limit < 4)
    return points;
  const std::size_t stretches = (limit - 2) / 2;
  const std::size_t inner = points.size() - 2;
  std::vector<point> kept{points.front()};
  for (std::size_t i = 0; i < stretches; ++i) {
    const auto begin = points.begin() + 1 + static_cast<std::ptrdiff_t>(i * inner / stretches);
    const auto end = points.begin() + 1 + static_cast<std::ptrdiff_t>((i + 1) * inner / stretches);
    if (begin == end)
      continue;
    const auto [low, high] = std::minmax_element(
        begin, end, [](const auto& left, const auto& right) { return left.value < right.value; });
    kept.push_back(*std::min(low, high));
    if (low != high)
      kept.push_back(*std::max(low, high));
  }
  kept.push_back(points.back());
  return kept;
}

value_axis axis_of(double low, double high, int marks) {
  if (!(high - low > 1e-12 * std::max({1.0, std::abs(low), std::abs(high)}))) {
    const double apart = std::max(std::abs(low) * 0.01, 1e-6);
    low -= apart;
    high += apart;
  }
  value_axis axis;
  axis.step = round_up((high - low) / std::max(marks, 1));
  axis.low = std::floor(low / axis.step + 1e-9) * axis.step;
  axis.high = std::ceil(high / axis.step - 1e-9) * axis.step;
  axis.digits = std::clamp(static_cast<int>(-std::floor(std::log10(axis.step) + 1e-9)), 0, 16);
  return axis;
}

std::vector<double> value_axis::marks() const {
  std::vector<double> values;
  const auto count = std::llround((high - low) / step);
  for (long long i = 0; i <= count; ++i)
    values.push_back(low + static_cast<double>(i) * step);
  return values;
}

std::vector<time_mark> time_marks(instant from, instant until, int limit) {
  constexpr instant hour = 60 * minute_ms;
  for (const instant step :
       {minute_ms, 5 * minute_ms, 15 * minute_ms, 30 * minute_ms, hour, 3 * hour, 6 * hour,
        12 * hour, day_ms, 2 * day_ms, 5 * day_ms, 10 * day_ms}) {
    if ((until - from) / step > limit)
      continue;
    std::vector<time_mark> marks;
    for (instant when = align_up(from, step); when <= until; when += step) {
      const auto day = day_of(when);
      const auto month = month_names[static_cast<std::size_t>(day.month - 1)];
      const bool is_midnight = align_down(when, day_ms) == when;
      marks.push_back(
          {when, is_midnight ? fmt::format("{} {}", day.day, month) : to_iso(when).substr(11, 5)});
    }
    return marks;
  }
  return month_marks(from, until, limit);
}

std::vector<month_return> monthly_returns(std::span<const trade_record> in_order) {
  std::vector<month_return> months;
  double growth = 1;
  for (const auto& trade : in_order) {
    const auto day = day_of(trade.close_ts);
    if (months.empty() || months.back().year != day.year || months.back().month != day.month) {
      months.push_back({day.year, day.month, 0, 0});
      growth = 1;
    }
    growth *= std::max(0.0, 1 + trade.pnl / 100);
    months.back().percent = 100 * (growth - 1);
    ++months.back().trades;
  }
  return months;
}

distribution distribution_of(std::span<const trade_record> trades) {
  constexpr int bars = 32;
  distribution result;
  if (trades.empty())
    return result;
  double low = 0, high = 0;
  for (const auto& trade : trades) {
    low = std::min(low, trade.pnl);
    high = std::max(high, trade.pnl);
  }
  result.width = high > low ? round_up((high - low) / bars) : 1;
  const auto index = [&](double value) { return std::floor(value / result.width); };
  const double first = index(low), last = index(high);
  result.low = first * result.width;
  result.counts.assign(static_cast<std::size_t>(last - first) + 1, 0);
  for (const auto& trade : trades)
    ++result.counts[static_cast<std::size_t>(index(trade.pnl) - first)];
  return result;
}

} // namespace backtest::html
