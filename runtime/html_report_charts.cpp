#include "runtime/html_report_charts.hpp"

#include "runtime/html_report_text.hpp"
#include "runtime/number_text.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace backtest::html {

namespace {

constexpr int chart_height = 10'000;
constexpr std::size_t line_points = 1'200;
constexpr std::size_t thumbnail_points = 120;
constexpr int vertical_marks = 7;
constexpr int horizontal_marks = 7;

std::string value_label(double value, int digits, bool is_signed, const std::string& unit) {
  if (unit.empty() && digits == 0)
    return grouped(std::llround(value));
  const auto text = is_signed ? signed_text(value, digits) : fixed_text(value, digits);
  return unit.empty() ? text : text + "\u202f" + unit;
}

double percent_of(double part, double whole) { return whole > 0 ? 100 * part / whole : 0; }

std::string path_of(std::span<const point> points, const time_span& span, const value_axis& axis) {
  std::string path;
  for (const auto& at : points)
    path += fmt::format("{}{} {}", path.empty() ? 'M' : 'L', minute_of(span, at.when),
                        height_of(axis, at.value));
  return path;
}

std::string area_of(std::span<const point> points, const time_span& span, const value_axis& axis) {
  if (points.empty())
    return {};
  const int zero = height_of(axis, 0);
  return fmt::format("<path class=\"area\" d=\"{}V{}H{}Z\"/>", path_of(points, span, axis), zero,
                     minute_of(span, points.front().when));
}

std::string vertical_labels(const value_axis& axis, bool is_signed, const std::string& unit) {
  std::string out = "<div class=\"ylab\" aria-hidden=\"true\">";
  for (const double value : axis.marks())
    out += fmt::format("<span style=\"top:{:.2f}%\">{}</span>",
                       percent_of(height_of(axis, value), chart_height),
                       value_label(value, axis.digits, is_signed, unit));
  return out + "</div>";
}

std::string grid_of(const value_axis& axis, std::int64_t width) {
  std::string path;
  for (const double value : axis.marks())
    path += fmt::format("M0 {}H{}", height_of(axis, value), width);
  return fmt::format("<path class=\"grid\" d=\"{}\"/>", path);
}

std::string zero_line(const value_axis& axis, std::int64_t width) {
  if (axis.low >= 0 || axis.high <= 0)
    return {};
  return fmt::format("<path class=\"zero\" d=\"M0 {}H{}\"/>", height_of(axis, 0), width);
}

std::string legend_of(const std::vector<line>& lines) {
  if (lines.size() < 2)
    return {};
  std::string out = "<ul class=\"legend\">";
  for (std::size_t i = 0; i < lines.size(); ++i)
    out += fmt::format("<li><button type=\"button\" aria-pressed=\"true\" data-line=\"{}\"><svg "
                       "viewBox=\"0 0 28 8\" aria-hidden=\"true\"><path class=\"line s{}\" d=\"M0 "
                       "4H28\"/></svg>{}</button></li>",
                       i, i, name(lines[i].name));
  return out + "</ul>";
}

/// From the lowest to the highest value of all lines, zero included.
value_axis axis_around_zero(const std::vector<line>& lines) {
  double low = 0, high = 0;
  for (const auto& each : lines)
    for (const auto& at : each.points) {
      low = std::min(low, at.value);
      high = std::max(high, at.value);
    }
  return axis_of(low, high, vertical_marks);
}

std::vector<line> thinned_lines(const std::vector<line>& lines) {
  std::vector<line> thin;
  for (const auto& each : lines)
    thin.push_back({each.name, thinned(each.points, line_points)});
  return thin;
}

} // namespace

int height_of(const value_axis& axis, double value) {
  const double part = (axis.high - value) / (axis.high - axis.low);
  return static_cast<int>(std::lround(std::clamp(part, -1.0, 2.0) * chart_height));
}

std::int64_t minute_of(const time_span& span, instant when) {
  return (when - span.from) / minute_ms;
}

std::string figure_of(const time_chart& chart) {
  const auto width = std::max<std::int64_t>(minute_of(chart.span, chart.span.until), 1);
  std::string out =
      fmt::format("<figure class=\"chart\" data-group=\"{}\" data-from=\"{}\" data-width=\"{}\" "
                  "data-low=\"{}\" data-high=\"{}\" data-unit=\"{}\" data-signed=\"{}\">",
                  escaped(chart.group), chart.span.from, width, chart.axis.low, chart.axis.high,
                  escaped(chart.unit), chart.is_signed ? 1 : 0);
  out += legend_of(chart.lines);
  out += "<div class=\"frame\">" + vertical_labels(chart.axis, chart.is_signed, chart.unit);
  out += fmt::format("<div class=\"plot\"><svg viewBox=\"0 0 {} {}\" preserveAspectRatio=\"none\" "
                     "role=\"img\" aria-label=\"{}\">",
                     width, chart_height, escaped(chart.label));
  out += grid_of(chart.axis, width) + zero_line(chart.axis, width);
  if (chart.fills && !chart.lines.empty())
    out += area_of(chart.lines.front().points, chart.span, chart.axis);
  // Backwards: the first line is the one that must not be hidden.
  for (std::size_t i = chart.lines.size(); i-- > 0;)
    out += fmt::format("<path class=\"line s{}\" data-line=\"{}\" data-name=\"{}\" d=\"{}\"/>", i,
                       i, escaped(shortened(chart.lines[i].name, 80)),
                       path_of(chart.lines[i].points, chart.span, chart.axis));
  out += chart.marks + "</svg></div><div class=\"xlab\" aria-hidden=\"true\"><div>";
  for (const auto& mark : time_marks(chart.span.from, chart.span.until, horizontal_marks))
    out += fmt::format("<span style=\"left:{:.2f}%\">{}</span>",
                       percent_of(static_cast<double>(mark.when - chart.span.from),
                                  static_cast<double>(chart.span.until - chart.span.from)),
                       mark.label);
  return out + "</div></div></div></figure>";
}

std::string equity_figure(const std::vector<line>& lines, const time_span& span) {
  time_chart chart{"Equity over time, percent gained since the start",
                   "time",
                   "%",
                   true,
                   true,
                   span,
                   axis_around_zero(lines),
                   thinned_lines(lines),
                   {}};
  return figure_of(chart);
}

std::string drawdown_figure(const std::vector<line>& lines, const time_span& span) {
  time_chart chart{"Drawdown over time, percent below the highest equity",
                   "time",
                   "%",
                   false,
                   true,
                   span,
                   axis_around_zero(lines),
                   thinned_lines(lines),
                   {}};
  return figure_of(chart);
}

std::string distribution_figure(std::span<const trade_record> trades) {
  const auto bars = distribution_of(trades);
  if (bars.counts.empty())
    return {};
  const auto highest = *std::max_element(bars.counts.begin(), bars.counts.end());
  auto axis = axis_of(0, static_cast<double>(highest), vertical_marks);
  axis.step = std::max(axis.step, 1.0);
  axis.high = std::ceil(static_cast<double>(highest) / axis.step) * axis.step;
  axis.digits = 0;
  constexpr int bar = 100;
  const auto width = static_cast<std::int64_t>(bars.counts.size()) * bar;
  const auto bound = [&](std::size_t i) { return bars.low + static_cast<double>(i) * bars.width; };
  const int digits = axis_of(0, bars.width, 1).digits;
  std::string out = "<figure class=\"chart bars\"><div class=\"frame\">";
  out += vertical_labels(axis, false, "");
  out += fmt::format("<div class=\"plot\"><svg viewBox=\"0 0 {} {}\" preserveAspectRatio=\"none\" "
                     "role=\"img\" aria-label=\"How many trades came to which result\">{}",
                     width, chart_height, grid_of(axis, width));
  for (std::size_t i = 0; i < bars.counts.size(); ++i) {
    if (bars.counts[i] == 0)
      continue;
    const int top = height_of(axis, static_cast<double>(bars.counts[i]));
    out += fmt::format("<rect class=\"{}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" "
                       "data-tip=\"{} to {} %: {} trade{}\"/>",
                       bound(i) < -bars.width / 2 ? "loss" : "gain",
                       static_cast<std::int64_t>(i) * bar + 4, top, bar - 8, chart_height - top,
                       signed_text(bound(i), digits), signed_text(bound(i + 1), digits),
                       grouped(bars.counts[i]), bars.counts[i] == 1 ? "" : "s");
  }
  out += "</svg></div><div class=\"xlab\" aria-hidden=\"true\"><div>";
  const std::size_t step = std::max<std::size_t>(1, (bars.counts.size() + 7) / 8);
  const auto zero = static_cast<std::size_t>(std::llround(-bars.low / bars.width));
  for (std::size_t i = zero % step; i <= bars.counts.size(); i += step)
    out += fmt::format("<span style=\"left:{:.2f}%\">{}\u202f%</span>",
                       percent_of(static_cast<double>(i), static_cast<double>(bars.counts.size())),
                       signed_text(bound(i), digits));
  return out + "</div></div></div></figure>";
}

std::string thumbnail(const curves& of_symbol, const time_span& span) {
  const auto width = std::max<std::int64_t>(minute_of(span, span.until), 1);
  const auto equity = thinned(of_symbol.equity, thumbnail_points);
  const auto drawdown = thinned(of_symbol.drawdown, thumbnail_points);
  const auto axis = axis_around_zero({{"", equity}});
  const auto depth = axis_around_zero({{"", drawdown}});
  return fmt::format(
      "<svg class=\"thumb\" viewBox=\"0 0 {0} {1}\" preserveAspectRatio=\"none\" "
      "aria-hidden=\"true\">{2}{3}<path class=\"line s0\" d=\"{4}\"/></svg><svg class=\"thumb "
      "low\" viewBox=\"0 0 {0} {1}\" preserveAspectRatio=\"none\" aria-hidden=\"true\">{5}</svg>",
      width, chart_height, zero_line(axis, width), area_of(equity, span, axis),
      path_of(equity, span, axis), area_of(drawdown, span, depth));
}

} // namespace backtest::html
