#include "actors/exchange/candle_loader.hpp"

#include "actors/exchange/aggregate.hpp"
#include "actors/exchange/candle_checks.hpp"
#include "actors/exchange/fetch_failure.hpp"
#include "actors/exchange/minute_prices.hpp"
#include "messages/error.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace backtest {

namespace {

/// A candle of a source that grows may come this much later than it closed.
constexpr instant latest_arrival = 60 * minute_ms;

/// The newest candles are kept an hour at a time: a write a minute would cost more than asking for
/// them again, with the newest one, after a restart.
constexpr instant kept_at_once = 60 * minute_ms;

/// What a source may ask to wait; above it the request fails, and who asked decides when to ask
/// again.
constexpr std::chrono::seconds longest_retry_after{300};

bool is_permanent(const failure& caught) {
  return caught.code() == error_code::not_found ||
         dynamic_cast<const permanent_failure*>(&caught) != nullptr;
}

} // namespace

candle_loader::candle_loader(exchange_schema schema, configuration parameters, wait_function wait,
                             std::shared_ptr<candle_keeper> keeper)
    : schema_(std::move(schema)), parameters_(parameters), wait_(std::move(wait)),
      keeper_(std::move(keeper)) {}

bool candle_loader::is_native(interval size) const {
  return size == interval::m1 ||
         (!schema_.source &&
          std::find(schema_.native_intervals.begin(), schema_.native_intervals.end(), size) !=
              schema_.native_intervals.end());
}

loaded_series candle_loader::load(const std::string& symbol, interval size, instant from,
                                  instant until) {
  if (is_native(size)) {
    auto loaded = fetched(symbol, size, from, until);
    if (size == interval::m1 && !schema_.now) // a few new minutes are not worth a table
      loaded.prices = prices_of(symbol, loaded.series);
    return loaded;
  }
  const auto minutes = fetched(symbol, interval::m1, from, until);
  auto& made = aggregated_[{symbol, size}];
  if (made.minutes != minutes.series)
    made = {minutes.series,
            std::make_shared<const candle_series>(aggregate(*minutes.series, size))};
  return {made.larger, minutes.from, minutes.until};
}

const shared_prices& candle_loader::prices_of(const std::string& symbol,
                                              const shared_series& minutes) {
  auto& known = priced_[symbol];
  if (known.minutes != minutes)
    known = {minutes, tabulate_prices(*minutes, parameters_.avg_price_candles_count)};
  return known.prices;
}

loaded_series candle_loader::fetched(const std::string& symbol, interval size, instant from,
                                     instant until) {
  auto& held = fetched_[{symbol, size}];
  if (held.series && held.from <= from && until <= held.until)
    return held;
  // Whole days, so that every aggregate made from them is whole.
  from = align_down(from, day_ms);
  until = align_up(until, day_ms);
  if (schema_.source) {
    if (held.series) {
      from = std::min(from, held.from);
      until = std::max(until, held.until);
    }
    auto series = schema_.source->load(symbol, from, until, parameters_);
    tell(symbol, size, from, series.candles);
    held = {std::make_shared<const candle_series>(std::move(series)), from, until};
    if (schema_.source->loads_everything()) {
      held.from = INT64_MIN;
      held.until = INT64_MAX;
    }
    return held;
  }
  auto series = std::make_shared<candle_series>();
  series->symbol = symbol;
  series->size = size;
  if (!held.series) {
    obtain(symbol, size, {from, until}, series->candles);
    held = {series, from, settled_until(*series, from, until)};
  } else {
    const auto& known = held.series->candles;
    obtain(symbol, size, {from, held.from}, series->candles);
    series->candles.insert(series->candles.end(), known.begin(), known.end());
    obtain(symbol, size, {held.until, until}, series->candles);
    from = std::min(from, held.from);
    until = std::max(until, held.until);
    if (series->candles.size() != known.size())
      held.series = series;
    held = {held.series, from, settled_until(*held.series, from, until)};
  }
  return {held.series, from, until}; // what is missing up to there is missing now
}

instant candle_loader::settled_until(const candle_series& series, instant from,
                                     instant until) const {
  if (!schema_.now)
    return until;
  const instant old = align_down(schema_.now() - latest_arrival, length_of(series.size));
  return std::max(series.end(from), std::min(until, old));
}

void candle_loader::obtain(const std::string& symbol, interval size, time_range wanted,
                           std::vector<candle>& out) {
  // Nobody else can have kept what has only just closed.
  if (!keeper_ || wanted.from >= wanted.until || wanted.from + kept_at_once >= schema_.now())
    return fetch_days(symbol, size, wanted, out);
  const auto known = keeper_->find(symbol, size, wanted);
  auto next = known.candles.begin();
  const auto take_until = [&](instant until) {
    const auto end = std::partition_point(
        next, known.candles.end(), [until](const candle& item) { return item.open_time < until; });
    out.insert(out.end(), next, end);
    next = end;
  };
  for (const auto& missing : known.missing) {
    take_until(missing.from);
    fetch_days(symbol, size, missing, out);
  }
  take_until(wanted.until);
}

void candle_loader::fetch_days(const std::string& symbol, interval size, time_range wanted,
                               std::vector<candle>& out) {
  while (wanted.from < wanted.until) {
    const time_range day{wanted.from,
                         std::min(align_down(wanted.from, day_ms) + day_ms, wanted.until)};
    const auto batch = fetch_batch({symbol, size, day.from, day.until});
    tell(symbol, size, day.from, batch);
    if (keeper_)
      keep(symbol, size, day, batch);
    out.insert(out.end(), batch.begin(), batch.end());
    wanted.from = day.until;
  }
}

/// Kept is what cannot change any more: closed candles without a gap, and old gaps that lie before
/// a candle. An empty end may be a source that had nothing to say at the moment.
void candle_loader::keep(const std::string& symbol, interval size, time_range asked,
                         std::span<const candle> batch) {
  const key of{symbol, size};
  auto& fresh = fresh_[of];
  if (asked.from != fresh.asked_until && asked.from != fresh.known.until) {
    hand_over(of, fresh, fresh.known.until);
    fresh.known = {asked.from, asked.from};
  }
  fresh.asked_until = asked.until;
  const instant length = length_of(size);
  const instant now = schema_.now();
  for (const candle& item : batch) {
    const bool closed = item.open_time + length <= now;
    const bool gap_is_old = item.open_time <= now - latest_arrival;
    if (!closed || (item.open_time != fresh.known.until && !gap_is_old))
      break;
    fresh.candles.push_back(item);
    fresh.known.until = item.open_time + length;
  }
  hand_over(of, fresh,
            fresh.known.until == asked.until
                ? asked.until
                : align_down(fresh.known.until, std::max(length, kept_at_once)));
}

void candle_loader::hand_over(const key& of, fresh_candles& fresh, instant until) {
  if (until <= fresh.known.from)
    return;
  const auto end =
      std::partition_point(fresh.candles.begin(), fresh.candles.end(),
                           [until](const candle& item) { return item.open_time < until; });
  keeper_->keep(of.first, of.second, {fresh.known.from, until}, {fresh.candles.begin(), end});
  fresh.candles.erase(fresh.candles.begin(), end);
  fresh.known.from = until;
}

void candle_loader::tell(const std::string& symbol, interval size, instant since,
                         std::span<const candle> data) {
  if (schema_.callbacks.on_candle_data)
    schema_.callbacks.on_candle_data(symbol, size, since, data);
}

std::vector<candle> candle_loader::fetch_batch(const candle_query& query) {
  auto delay = std::chrono::milliseconds{parameters_.get_candles_retry_delay_ms};
  for (std::int64_t tries = 1;; ++tries) {
    auto pause = delay;
    try {
      return attempt(query);
    } catch (const failure& caught) {
      const auto batch = fmt::format("exchange {}: {} {} from {}", schema_.exchange_name,
                                     query.symbol, to_string(query.size), to_iso(query.since));
      if (is_permanent(caught))
        throw failure(caught.code(), fmt::format("{}: {}", batch, caught.what()));
      const auto* postponed = dynamic_cast<const postponed_failure*>(&caught);
      if (postponed)
        pause = postponed->retry_after();
      const bool too_long = postponed && pause > longest_retry_after;
      if (too_long || tries >= parameters_.get_candles_retry_count)
        throw failure(caught.code() == error_code::bad_candles ? error_code::bad_candles
                                                               : error_code::fetch_failed,
                      fmt::format("{}, attempt {} of {}: {}{}", batch, tries,
                                  parameters_.get_candles_retry_count, caught.what(),
                                  too_long ? fmt::format(", longer than the {} s that are waited",
                                                         longest_retry_after.count())
                                           : ""));
    }
    if (wait_ && !wait_(pause))
      throw failure(error_code::fetch_failed,
                    fmt::format("exchange {}: {} given up while shutting down",
                                schema_.exchange_name, query.symbol));
    delay *= 2;
  }
}

std::vector<candle> candle_loader::attempt(const candle_query& query) {
  std::vector<candle> batch;
  try {
    batch = schema_.get_candles(query);
  } catch (const failure&) {
    throw;
  } catch (const std::exception& caught) {
    throw failure(error_code::fetch_failed, caught.what());
  } catch (...) {
    throw failure(error_code::fetch_failed,
                  "get_candles threw something that is not a std::exception");
  }
  // A source may answer with more than it was asked for; only what was asked counts.
  std::erase_if(batch, [&](const candle& item) {
    return item.open_time < query.since || item.open_time >= query.until;
  });
  if (const auto fault = check_candles(batch, query.size, parameters_))
    throw failure(error_code::bad_candles,
                  fmt::format("candle {} of {}: {}", fault->index, batch.size(), fault->message));
  return batch;
}

} // namespace backtest
