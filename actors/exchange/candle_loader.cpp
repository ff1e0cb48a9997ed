#include "actors/exchange/candle_loader.hpp"

#include "actors/exchange/aggregate.hpp"
#include "actors/exchange/candle_checks.hpp"
#include "actors/exchange/candle_spacing.hpp"
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

bool is_permanent(const failure& caught) {
  return caught.code() == error_code::not_found ||
         dynamic_cast<const permanent_failure*>(&caught) != nullptr;
}

/// A source of one's own may say that it gave something else.
void require_minutes_of(const std::string& symbol, const candle_series& series,
                        const std::string& exchange) {
  if (series.size != interval::m1 || (!series.symbol.empty() && series.symbol != symbol))
    throw failure(error_code::bad_candles,
                  fmt::format("exchange {}: the source answered with {} candles of {}; expected 1m "
                              "candles of {}",
                              exchange, to_string(series.size), series.symbol, symbol));
}

/// Before the attempt behind that many.
std::chrono::milliseconds delay_after(std::int64_t tries, const configuration& parameters) {
  constexpr std::int64_t most_doublings = 20;
  return std::chrono::milliseconds{parameters.get_candles_retry_delay_ms} *
         (std::int64_t{1} << std::min(tries - 1, most_doublings));
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
  for (load_progress progress;;) {
    try {
      return load(symbol, held_[symbol], progress, size, from, until);
    } catch (const postponed_failure& caught) {
      if (wait_ && !wait_(caught.retry_after()))
        throw failure(error_code::fetch_failed,
                      fmt::format("exchange {}: {} given up while shutting down",
                                  schema_.exchange_name, symbol));
    }
  }
}

loaded_series candle_loader::load(const std::string& symbol, held_candles& held,
                                  load_progress& progress, interval size, instant from,
                                  instant until) {
  const request of{symbol, is_native(size) ? size : interval::m1, held, progress};
  return in_size(held, size, fetched(of, from, until));
}

std::optional<loaded_series> candle_loader::find(held_candles& held, interval size, instant from,
                                                 instant until) const {
  const auto own = held.fetched.find(is_native(size) ? size : interval::m1);
  if (own == held.fetched.end() || from < own->second.from || own->second.until < until)
    return std::nullopt;
  return in_size(held, size, own->second);
}

loaded_series candle_loader::in_size(held_candles& held, interval size,
                                     const loaded_series& own) const {
  if (own.series->size == size) {
    auto loaded = own;
    if (size == interval::m1 && !schema_.now) { // a few new minutes are not worth a table
      if (held.priced.minutes != own.series)
        held.priced = {own.series,
                       tabulate_prices(*own.series, parameters_.avg_price_candles_count)};
      loaded.prices = held.priced.prices;
    }
    return loaded;
  }
  auto& made = held.aggregated[size];
  if (made.minutes != own.series)
    made = {own.series, std::make_shared<const candle_series>(aggregate(*own.series, size))};
  return {made.larger, own.from, own.until};
}

loaded_series candle_loader::fetched(const request& of, instant from, instant until) {
  auto& held = of.held.fetched[of.size];
  auto& longest = of.held.longest[of.size];
  longest = std::max(longest, until - from);
  const instant needed_from = align_down(until - longest, day_ms);
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
    auto series = schema_.source->load(of.symbol, from, until, parameters_);
    require_minutes_of(of.symbol, series, schema_.exchange_name);
    tell(of, from, series.candles);
    held = {std::make_shared<const candle_series>(std::move(series)), from, until};
    if (schema_.source->loads_everything()) {
      held.from = INT64_MIN;
      held.until = INT64_MAX;
    }
    return held;
  }
  auto series = std::make_shared<candle_series>();
  series->symbol = of.symbol;
  series->size = of.size;
  if (!held.series) {
    obtain(of, {from, until}, series->candles);
    held = {series, from, settled_until(*series, from, until)};
  } else {
    const auto& known = held.series->candles;
    time_range of_known{held.from, held.until};
    auto first = known.begin();
    if (schema_.now && of_known.until < until && of_known.from < needed_from) { // for months
      of_known = {needed_from, std::max(of_known.until, needed_from)};
      first = std::partition_point(first, known.end(), [needed_from](const candle& item) {
        return item.open_time < needed_from;
      });
    }
    obtain(of, {from, of_known.from}, series->candles);
    series->candles.insert(series->candles.end(), first, known.end());
    obtain(of, {of_known.until, until}, series->candles);
    from = std::min(from, of_known.from);
    until = std::max(until, of_known.until);
    if (series->candles.size() != known.size() || first != known.begin())
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

void candle_loader::obtain(const request& of, time_range wanted, std::vector<candle>& out) {
  // Nobody else can have kept what has only just closed.
  if (!keeper_ || wanted.from >= wanted.until || wanted.from + kept_at_once >= schema_.now())
    return fetch_days(of, wanted, out);
  const auto known = keeper_->find(of.symbol, of.size, wanted);
  auto next = known.candles.begin();
  const auto take_until = [&](instant until) {
    const auto end = std::partition_point(
        next, known.candles.end(), [until](const candle& item) { return item.open_time < until; });
    out.insert(out.end(), next, end);
    next = end;
  };
  for (const auto& missing : known.missing) {
    take_until(missing.from);
    fetch_days(of, missing, out);
  }
  take_until(wanted.until);
}

void candle_loader::fetch_days(const request& of, time_range wanted, std::vector<candle>& out) {
  while (wanted.from < wanted.until) {
    const time_range day{wanted.from,
                         std::min(align_down(wanted.from, day_ms) + day_ms, wanted.until)};
    const auto& batch = fetch_day(of, day);
    out.insert(out.end(), batch.begin(), batch.end());
    wanted.from = day.until;
  }
}

const std::vector<candle>& candle_loader::fetch_day(const request& of, time_range day) {
  auto& arrived = of.progress.arrived;
  const auto key = std::pair{day.from, day.until};
  if (const auto found = arrived.find(key); found != arrived.end())
    return found->second; // before the last attempt that failed
  auto batch = fetch_batch({of.symbol, of.size, day.from, day.until, stop_}, of.progress);
  tell(of, day.from, batch);
  if (keeper_)
    keep(of, day, batch);
  return arrived.emplace(key, std::move(batch)).first->second;
}

/// Kept is what cannot change any more: closed candles without a gap, and old gaps that lie before
/// a candle. An empty end may be a source that had nothing to say at the moment.
void candle_loader::keep(const request& of, time_range asked, std::span<const candle> batch) {
  auto& fresh = of.held.fresh[of.size];
  if (asked.from != fresh.asked_until && asked.from != fresh.known.until) {
    hand_over(of, fresh, fresh.known.until);
    fresh.known = {asked.from, asked.from};
  }
  fresh.asked_until = asked.until;
  const instant length = length_of(of.size);
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

void candle_loader::hand_over(const request& of, held_candles::fresh_candles& fresh,
                              instant until) {
  if (until <= fresh.known.from)
    return;
  const auto end =
      std::partition_point(fresh.candles.begin(), fresh.candles.end(),
                           [until](const candle& item) { return item.open_time < until; });
  keeper_->keep(of.symbol, of.size, {fresh.known.from, until}, {fresh.candles.begin(), end});
  fresh.candles.erase(fresh.candles.begin(), end);
  fresh.known.from = until;
}

void candle_loader::tell(const request& of, instant since, std::span<const candle> data) {
  if (schema_.callbacks.on_candle_data)
    schema_.callbacks.on_candle_data(of.symbol, of.size, since, data);
}

std::vector<candle> candle_loader::fetch_batch(const candle_query& query, load_progress& progress) {
  const auto tries = ++progress.tries;
  try {
    auto batch = attempt(query);
    progress.tries = 0;
    return batch;
  } catch (const failure& caught) {
    const auto batch = fmt::format("exchange {}: {} {} from {}", schema_.exchange_name,
                                   query.symbol, to_string(query.size), to_iso(query.since));
    if (is_permanent(caught))
      throw failure(caught.code(), fmt::format("{}: {}", batch, caught.what()));
    const auto code = caught.code() == error_code::bad_candles ? error_code::bad_candles
                                                               : error_code::fetch_failed;
    const auto text = fmt::format("{}, attempt {} of {}: {}", batch, tries,
                                  parameters_.get_candles_retry_count, caught.what());
    const auto* postponed = dynamic_cast<const postponed_failure*>(&caught);
    if (postponed && postponed->retry_after() > longest_retry_after_)
      throw failure(code, fmt::format("{}, longer than the {} s that are waited", text,
                                      longest_retry_after_.count()));
    if (tries >= parameters_.get_candles_retry_count)
      throw failure(code, text);
    throw postponed_failure(code, text,
                            postponed ? postponed->retry_after() : delay_after(tries, parameters_));
  }
}

std::vector<candle> candle_loader::attempt(const candle_query& query) {
  const instant length = length_of(query.size);
  // One that closes while it is asked for may have been read before.
  const instant closed_until = schema_.now ? align_down(schema_.now(), length) : query.until;
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
  // A source may answer with more than it was asked for, or with the candle that still forms.
  std::erase_if(batch, [&](const candle& item) {
    return item.open_time < query.since || item.open_time >= std::min(query.until, closed_until);
  });
  if (const auto fault = check_candles(batch, query.size, parameters_))
    throw failure(error_code::bad_candles,
                  fmt::format("candle {} of {}: {}", fault->index, batch.size(), fault->message));
  if (const auto coarse = find_coarse_batch(batch, query.size))
    throw failure(error_code::bad_candles,
                  fmt::format("candle {} of {}: {}", coarse->index, batch.size(),
                              describe(*coarse, query.size, "answer")));
  return batch;
}

} // namespace backtest
