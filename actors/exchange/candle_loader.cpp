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

bool is_permanent(const failure& caught) {
  return caught.code() == error_code::not_found ||
         dynamic_cast<const permanent_failure*>(&caught) != nullptr;
}

/// Before the attempt behind that many.
std::chrono::milliseconds delay_after(std::int64_t tries, const configuration& parameters) {
  constexpr std::int64_t most_doublings = 20;
  return std::chrono::milliseconds{parameters.get_candles_retry_delay_ms} *
         (std::int64_t{1} << std::min(tries - 1, most_doublings));
}

/// The ranges, cut where a UTC day ends.
std::vector<time_range> days_of(const std::vector<time_range>& ranges) {
  std::vector<time_range> days;
  for (auto [from, until] : ranges)
    while (from < until) {
      const instant end = std::min(align_down(from, day_ms) + day_ms, until);
      days.push_back({from, end});
      from = end;
    }
  return days;
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
                                  instant until, const std::optional<candle_extent>& extent) {
  for (load_progress progress;;) {
    try {
      return load(symbol, held_[symbol], progress, size, from, until, extent);
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
                                  instant until, const std::optional<candle_extent>& extent) {
  auto around = extent.value_or(candle_extent{align_down(from, day_ms), align_up(until, day_ms)});
  around.welcome_from = std::min(around.welcome_from, from);
  around.welcome_until = std::max(around.welcome_until, until);
  const request of{symbol, is_native(size) ? size : interval::m1, held, progress, around};
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
  const auto& around = of.extent;
  longest = std::max(longest, until - around.welcome_from);
  const instant needed_from = align_down(until - longest, day_ms);
  if (held.series && held.from <= from && until <= held.until)
    return held;
  if (schema_.source) {
    from = align_down(around.welcome_from, day_ms);
    until = align_up(around.welcome_until, day_ms);
    if (held.series) {
      from = std::min(from, held.from);
      until = std::max(until, held.until);
    }
    auto series = schema_.source->load(of.symbol, from, until, parameters_);
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
  time_range got;
  if (!held.series) {
    got = obtain(of, {from, until}, {around.welcome_from, around.welcome_until}, series->candles);
    held.series = series;
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
    got.from =
        obtain(of, {std::min(from, of_known.from), of_known.from},
               {std::min(around.welcome_from, of_known.from), of_known.from}, series->candles)
            .from;
    series->candles.insert(series->candles.end(), first, known.end());
    got.until =
        obtain(of, {of_known.until, std::max(until, of_known.until)},
               {of_known.until, std::max(around.welcome_until, of_known.until)}, series->candles)
            .until;
    if (series->candles.size() != known.size() || first != known.begin())
      held.series = series;
  }
  held = {held.series, got.from, settled_until(*held.series, got.from, got.until)};
  return {held.series, got.from, got.until}; // what is missing up to there is missing now
}

instant candle_loader::settled_until(const candle_series& series, instant from,
                                     instant until) const {
  if (!schema_.now)
    return until;
  const instant old = align_down(schema_.now() - latest_arrival, length_of(series.size));
  return std::max(series.end(from), std::min(until, old));
}

time_range candle_loader::obtain(const request& of, time_range needed, time_range welcome,
                                 std::vector<candle>& out) {
  if (welcome.from >= welcome.until || (needed.from >= needed.until && !of.extent.fetches_before))
    return needed;
  cached_candles known;
  known.missing = {welcome};
  // Nobody else can have kept what has only just closed.
  if (keeper_ && welcome.from + kept_at_once < schema_.now())
    known = keeper_->find(of.symbol, of.size, welcome);
  time_range got = welcome;
  const auto begin = out.size();
  auto next = known.candles.begin();
  const auto take_until = [&](instant until) {
    const auto end = std::partition_point(
        next, known.candles.end(), [until](const candle& item) { return item.open_time < until; });
    out.insert(out.end(), next, end);
    next = end;
  };
  const auto begin_at = [&](instant from) { // what came before does not join what is needed
    out.resize(begin);
    got.from = from;
  };
  const auto take = [&](const std::vector<candle>& batch) {
    out.insert(out.end(), batch.begin(), batch.end());
  };
  for (const auto day : days_of(known.missing)) {
    take_until(day.from);
    const time_range part{std::max(day.from, needed.from), std::min(day.until, needed.until)};
    const bool is_needed = part.from < part.until;
    const bool is_before = !is_needed && day.until <= needed.from;
    if (day.from > of.extent.in_parts_from || (!is_needed && !is_before))
      return {got.from, day.from};
    if (is_before && !of.extent.fetches_before) {
      begin_at(day.until);
    } else if (part == day) {
      take(fetch_day(of, day));
    } else if (const auto* whole = fetch_welcome_day(of, day, is_needed)) {
      take(*whole);
    } else if (!is_needed) {
      begin_at(day.until);
    } else {
      if (day.from < part.from)
        begin_at(part.from);
      take(fetch_day(of, part));
      if (part.until < day.until)
        return {got.from, part.until};
    }
  }
  take_until(welcome.until);
  return got;
}

const std::vector<candle>* candle_loader::fetch_welcome_day(const request& of, time_range day,
                                                            bool is_needed) {
  auto& progress = of.progress;
  const auto key = std::pair{day.from, day.until};
  if (progress.refused.count(key) > 0)
    return nullptr;
  try {
    return &fetch_day(of, day, is_needed ? 0 : 1);
  } catch (const postponed_failure& caught) {
    if (!is_needed || caught.code() != error_code::bad_candles)
      throw;
  } catch (const failure& caught) {
    if (caught.code() == error_code::not_found ||
        (is_needed && caught.code() != error_code::bad_candles))
      throw;
  }
  progress.tries = 0;
  progress.refused.insert(key);
  return nullptr;
}

const std::vector<candle>& candle_loader::fetch_day(const request& of, time_range day,
                                                    std::int64_t tries) {
  auto& arrived = of.progress.arrived;
  const auto key = std::pair{day.from, day.until};
  if (const auto found = arrived.find(key); found != arrived.end())
    return found->second; // before the last attempt that failed
  auto batch = fetch_batch({of.symbol, of.size, day.from, day.until, stop_}, of.progress, tries);
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

std::vector<candle> candle_loader::fetch_batch(const candle_query& query, load_progress& progress,
                                               std::int64_t most_tries) {
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
    // Whom the source asks to wait would not be answered elsewhere either.
    if (tries >= (most_tries > 0 && !postponed ? most_tries : parameters_.get_candles_retry_count))
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
  return batch;
}

} // namespace backtest
