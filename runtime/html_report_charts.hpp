#pragma once

#include "runtime/html_report.hpp"
#include "runtime/html_report_series.hpp"

#include <string>
#include <vector>

namespace backtest::html {

struct time_span {
  instant from = 0;
  instant until = minute_ms; ///< later than from
};

/// A line of a chart; its colour and dashes follow from its place among the lines.
struct line {
  std::string name;
  std::vector<point> points;
};

/// Values over time. `group`: charts that zoom together. `marks`: SVG beneath the lines, in minutes
/// since the start and `height_of` units.
struct time_chart {
  std::string label; ///< for people who do not see it
  std::string group;
  std::string unit; ///< "%" or a currency, behind every value
  bool is_signed = false;
  bool fills = false; ///< the area between the first line and zero
  time_span span;
  value_axis axis;
  std::vector<line> lines;
  std::string marks;
};

/// Vertical position of a value, downwards from 0 at the top of the axis.
int height_of(const value_axis& axis, double value);
std::int64_t minute_of(const time_span& span, instant when);

/// Whole figures with axes; a legend when there are several lines.
std::string figure_of(const time_chart& chart);
std::string equity_figure(const std::vector<line>& lines, const time_span& span);
std::string drawdown_figure(const std::vector<line>& lines, const time_span& span);
std::string distribution_figure(std::span<const trade_record> trades);

/// A small equity curve with its drawdown below, without axes.
std::string thumbnail(const curves& of_symbol, const time_span& span);

/// A trade to be drawn over prices.
struct drawn_trade {
  const html_trade* trade = nullptr;
  std::string strategy;
};

/// Prices with entries, exits, take profits and stop losses.
std::string price_figure(const std::string& symbol, const candle_series* candles,
                         std::span<const drawn_trade> trades);

} // namespace backtest::html
