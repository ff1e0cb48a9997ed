#include "runtime/html_report_charts.hpp"
#include "runtime/html_report_text.hpp"
#include "runtime/number_text.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace backtest::html {

namespace {

constexpr std::size_t price_points = 2'000;

/// Closes of candles, or what the trades know.
std::vector<point> prices_of(const candle_series* candles, std::span<const drawn_trade> trades) {
  std::vector<point> prices;
  if (candles != nullptr) {
    for (const auto& bar : candles->candles)
      prices.push_back({bar.open_time + length_of(candles->size), bar.close});
    return thinned(std::move(prices), price_points);
  }
  for (const auto& [trade, strategy] : trades) {
    prices.push_back({trade->record.open_ts, trade->price_open});
    prices.push_back({trade->record.close_ts, trade->price_close});
  }
  std::stable_sort(prices.begin(), prices.end(),
                   [](const auto& left, const auto& right) { return left.when < right.when; });
  return thinned(std::move(prices), price_points);
}

std::string_view shown(close_reason reason) {
  switch (reason) {
  case close_reason::take_profit: return "take profit";
  case close_reason::stop_loss: return "stop loss";
  case close_reason::time_expired: return "time expired";
  case close_reason::user: return "closed by user";
  }
  return "";
}

std::string marks_of(const drawn_trade& drawn, const time_span& span, const value_axis& axis) {
  const auto& trade = *drawn.trade;
  const auto begin = minute_of(span, trade.record.open_ts);
  const auto end = minute_of(span, trade.record.close_ts);
  const int entry = height_of(axis, trade.price_open), exit = height_of(axis, trade.price_close);
  return fmt::format("<g class=\"t {}\" data-x=\"{},{}\" data-tip=\"{} {} {} → {} · {} % · {}\">"
                     "<path class=\"tp\" d=\"M{} {}H{}\"/><path class=\"sl\" d=\"M{} {}H{}\"/>"
                     "<path class=\"way\" d=\"M{} {}L{} {}\"/><path class=\"en\" d=\"M{} {}h0\"/>"
                     "<path class=\"ex {}\" d=\"M{} {}h0\"/></g>",
                     trade.record.pnl > 0 ? "gain" : "loss", begin, end, to_string(trade.position),
                     escaped(shortened(drawn.strategy, 40)), price(trade.price_open),
                     price(trade.price_close), signed_text(trade.record.pnl, 2),
                     shown(trade.reason), begin, height_of(axis, trade.price_take_profit), end,
                     begin, height_of(axis, trade.price_stop_loss), end, begin, entry, end, exit,
                     begin, entry, to_string(trade.reason), end, exit);
}

constexpr std::string_view legend =
    "<ul class=\"legend static\">"
    "<li><svg viewBox=\"0 0 12 12\" aria-hidden=\"true\"><circle class=\"k-en\" cx=\"6\" cy=\"6\" "
    "r=\"4\"/></svg>entry</li>"
    "<li><svg viewBox=\"0 0 12 12\" aria-hidden=\"true\"><circle class=\"k-gain\" cx=\"6\" "
    "cy=\"6\" r=\"4.5\"/></svg>exit with a gain</li>"
    "<li><svg viewBox=\"0 0 12 12\" aria-hidden=\"true\"><rect class=\"k-loss\" x=\"2\" y=\"2\" "
    "width=\"8\" height=\"8\"/></svg>exit with a loss</li>"
    "<li><svg viewBox=\"0 0 28 8\" aria-hidden=\"true\"><path class=\"tp\" d=\"M0 "
    "4H28\"/></svg>take profit</li>"
    "<li><svg viewBox=\"0 0 28 8\" aria-hidden=\"true\"><path class=\"sl\" d=\"M0 "
    "4H28\"/></svg>stop loss</li></ul>";

} // namespace

std::string price_figure(const std::string& symbol, const candle_series* candles,
                         std::span<const drawn_trade> trades) {
  auto prices = prices_of(candles, trades);
  if (prices.empty())
    return {};
  time_span span{prices.front().when, prices.back().when};
  double low = prices.front().value, high = low;
  const auto cover = [&](double value) {
    if (!std::isfinite(value) || value <= 0)
      return;
    low = std::min(low, value);
    high = std::max(high, value);
  };
  for (const auto& at : prices)
    cover(at.value);
  for (const auto& [trade, strategy] : trades) {
    span.from = std::min(span.from, trade->record.open_ts);
    span.until = std::max(span.until, trade->record.close_ts);
    for (const double value :
         {trade->price_open, trade->price_close, trade->price_take_profit, trade->price_stop_loss})
      cover(value);
  }
  span.until = std::max(span.until, span.from + minute_ms);
  time_chart chart;
  chart.label = "Price of " + shortened(symbol, 80) + " with entries and exits";
  chart.group = "price " + symbol;
  chart.span = span;
  chart.axis = axis_of(low, high, 7);
  for (const auto& drawn : trades)
    chart.marks += marks_of(drawn, span, chart.axis);
  chart.lines = {{symbol, std::move(prices)}};
  return std::string{legend} + figure_of(chart);
}

} // namespace backtest::html
