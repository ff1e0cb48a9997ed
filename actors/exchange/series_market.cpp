#include "actors/exchange/series_market.hpp"

#include "actors/exchange/average_price.hpp"
#include "messages/error.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace backtest {

series_market::series_market(std::string symbol, std::int64_t avg_price_candles_count,
                             number_formats formats, series_loader load)
    : symbol_(std::move(symbol)), avg_price_candles_count_(avg_price_candles_count),
      formats_(std::move(formats)), load_(std::move(load)) {}

void series_market::provide(loaded_series loaded) {
  auto& target = of(loaded.series->symbol)[static_cast<std::size_t>(loaded.series->size)];
  target.loaded = std::move(loaded);
  target.cursor = series_cursor{*target.loaded.series};
}

const candle_series& series_market::minutes() const noexcept {
  static const candle_series none{};
  const auto& own = shared_minutes();
  return own ? *own : none;
}

const shared_series& series_market::shared_minutes() const noexcept {
  return own_[static_cast<std::size_t>(interval::m1)].loaded.series;
}

shared_prices series_market::prices_of_minutes() const noexcept {
  const auto& prices = own_[static_cast<std::size_t>(interval::m1)].loaded.prices;
  return prices && prices->window == avg_price_candles_count_ ? prices : nullptr;
}

series_market::holdings& series_market::of(std::string_view symbol) {
  if (symbol == symbol_)
    return own_;
  if (const auto found = others_.find(symbol); found != others_.end())
    return found->second;
  return others_[std::string{symbol}];
}

series_market::holding& series_market::require(std::string_view symbol, interval size, instant from,
                                               instant until) {
  auto& held = of(symbol)[static_cast<std::size_t>(size)];
  held.longest = std::max(held.longest, until - from);
  if (held.loaded.series && held.loaded.from <= from && until <= held.loaded.until)
    return held;
  if (!load_)
    throw failure(error_code::data_gap,
                  fmt::format("no candles of {} {} are loaded", symbol, to_string(size)));
  // Keep what is held: the new stretch spans both; but for what lies a day too far back to be asked
  // for again, as a market may go on for months.
  if (held.loaded.series) {
    until = std::max(until, held.loaded.until);
    from = std::min(from, std::max(held.loaded.from, until - held.longest - day_ms));
  }
  provide(load_(std::string{symbol}, size, from, until));
  return held;
}

namespace {

void require_candle_interval(std::string_view symbol, interval size) {
  if (!is_candle_interval(size))
    throw failure(error_code::invalid_argument,
                  fmt::format("candles of {}: interval {} is not a candle interval (1m to 1d)",
                              symbol, to_string(size)));
}

/// Candles there can be: none opens before 1970. A source would be asked day by day for the others.
constexpr std::int64_t limit_at(instant aligned, instant step) noexcept {
  return std::max<std::int64_t>(aligned / step, 0);
}

} // namespace

std::span<const candle> series_market::window(std::string_view symbol, interval size,
                                              std::int64_t limit, instant when) {
  require_candle_interval(symbol, size);
  if (limit < 1)
    throw failure(error_code::invalid_argument,
                  fmt::format("candles of {} {}: limit must be a positive integer, got {}", symbol,
                              to_string(size), limit));
  const instant step = length_of(size);
  const instant aligned = align_down(when, step);
  const instant since = aligned - std::min(limit, limit_at(aligned, step)) * step;
  auto& held = require(symbol, size, since, aligned);
  const auto closed = held.cursor.closed_at(when);
  auto first = closed - std::min(closed, static_cast<std::size_t>(limit));
  const auto all = held.cursor.candles();
  while (first < closed && all[first].open_time < since)
    ++first;
  return all.subspan(first, closed - first);
}

std::span<const candle> series_market::candles(std::string_view symbol, interval size,
                                               std::int64_t limit, instant when) {
  require_candle_interval(symbol, size);
  if (const auto most = limit_at(when, length_of(size)); limit > most)
    throw failure(error_code::data_gap,
                  fmt::format("{} {} candles of {} before {}: there can only be {} since 1970",
                              limit, to_string(size), symbol, to_iso(when), most));
  const auto found = window(symbol, size, limit, when);
  if (found.size() != static_cast<std::size_t>(limit))
    throw failure(error_code::data_gap,
                  fmt::format("{} of {} {} candles of {} before {} are missing",
                              static_cast<std::size_t>(limit) - found.size(), limit,
                              to_string(size), symbol, to_iso(when)));
  return copy_of(found, when);
}

std::span<const candle> series_market::candles_present(std::string_view symbol, interval size,
                                                       std::int64_t limit, instant when) {
  return copy_of(window(symbol, size, limit, when), when);
}

std::span<const candle> series_market::copy_of(std::span<const candle> known, instant when) {
  if (when != std::exchange(asked_at_, when))
    given_.clear();
  return given_.add(known);
}

const double* series_market::tabled_price(std::string_view symbol, instant when) noexcept {
  auto& held = own_[static_cast<std::size_t>(interval::m1)];
  const auto& loaded = held.loaded;
  if (!loaded.prices || loaded.prices->window != avg_price_candles_count_ || symbol != symbol_ ||
      when - avg_price_candles_count_ * minute_ms < loaded.from || when > loaded.until)
    return nullptr;
  const auto closed = held.cursor.closed_at(when);
  if (!held.cursor.ends_at(closed, when))
    return nullptr; // a gap: the window ends earlier
  return &loaded.prices->prices[closed - 1];
}

double series_market::average_price(std::string_view symbol, instant when) {
  if (const double* price = tabled_price(symbol, when))
    return *price;
  const auto found = window(symbol, interval::m1, avg_price_candles_count_, when);
  if (found.empty())
    throw failure(error_code::data_gap,
                  fmt::format("no candles data of {} in the {} minutes before {}", symbol,
                              avg_price_candles_count_, to_iso(when)));
  return backtest::average_price(found);
}

std::string series_market::format_price(std::string_view symbol, double price) const {
  return formats_.price ? formats_.price(symbol, price) : fmt::format("{:.2f}", price);
}

std::string series_market::format_quantity(std::string_view symbol, double quantity) const {
  return formats_.quantity ? formats_.quantity(symbol, quantity) : fmt::format("{:.8f}", quantity);
}

} // namespace backtest
