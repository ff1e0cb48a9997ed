#include "actors/exchange/candle_loader.hpp"

#include "actors/exchange/aggregate.hpp"
#include "actors/exchange/candle_checks.hpp"
#include "actors/exchange/candle_spacing.hpp"
#include "actors/exchange/fetch_failure.hpp"
#include "actors/exchange/minute_prices.hpp"
#include "messages/error.hpp"
#include "messages/json.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace backtest {

namespace {

bool is_permanent(const failure& caught) {
  return caught.code() == error_code::not_found ||
         dynamic_cast<const permanent_failure*>(&caught) != nullptr;
}

/// The source asks to wait for longer than anybody does: it would not answer another question either.
struct long_pause_failure : failure {
  using failure::failure;
};

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

std::string candle_text(const std::optional<candle>& item) {
  if (!item)
    return "no candle";
  return fmt::format("open {}, high {}, low {}, close {}, volume {}", number_text(item->open),
                     number_text(item->high), number_text(item->low), number_text(item->close),
                     number_text(item->volume));
}

std::string revision_text(const candle_change& change, const std::string& symbol, interval size) {
  return fmt::format("{} {} candle of {} was revised after its close: first {}; now {}; what was "
                     "decided on the first stays as it is{}",
                     symbol, to_string(size),
                     to_iso((change.before ? change.before : change.after)->open_time),
                     candle_text(change.before), candle_text(change.after),
                     change.after ? ", the newer one is kept" : "");
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
        throw given_up(symbol);
    } catch (const fetch_given_up&) {
      throw given_up(symbol);
    }
  }
}

failure candle_loader::given_up(const std::string& symbol) const {
  return failure{
      error_code::fetch_failed,
      fmt::format("exchange {}: {} given up while shutting down", schema_.exchange_name, symbol)};
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
    require_wanted();
    auto series = schema_.source->load(of.symbol, from, until, parameters_);
    require_minutes_of(of.symbol, series, schema_.exchange_name);
    require_wanted();
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
    // Live that is a minute more than before, of two days: to grow on the way would copy it twice.
    const instant newest = schema_.now ? std::min(until, schema_.now()) : until;
    const instant more = std::clamp<instant>(newest - of_known.until, 0, day_ms);
    series->candles.reserve(static_cast<std::size_t>(known.end() - first) +
                            static_cast<std::size_t>(more / length_of(of.size)) + 1);
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
  const instant old =
      align_down(schema_.now() - fresh_candles::latest_arrival, length_of(series.size));
  return std::max(series.end(from), std::min(until, old));
}

time_range candle_loader::obtain(const request& of, time_range needed, time_range welcome,
                                 std::vector<candle>& out) {
  if (welcome.from >= welcome.until || (needed.from >= needed.until && !of.extent.fetches_before))
    return needed;
  cached_candles known;
  known.missing = {welcome};
  // Nobody else can have kept what has only just closed.
  if (keeper_ && welcome.from + fresh_candles::settled_at_once < schema_.now())
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
        dynamic_cast<const long_pause_failure*>(&caught) != nullptr ||
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
  auto found = arrived.find(key); // before the last attempt that failed
  if (found == arrived.end())
    found = arrived.emplace(key, fetch_whole(of, day, tries)).first;
  auto& batch = found->second;
  if (!batch.is_told) {
    require_wanted();
    tell(of, day.from, batch.candles);
    batch.is_told = true;
  }
  return batch.candles;
}

arrived_batch candle_loader::fetch_whole(const request& of, time_range day, std::int64_t tries) {
  const bool is_final = !schema_.now || day.until <= schema_.now() - fresh_candles::latest_arrival;
  require_wanted();
  auto candles = keeper_ ? fetch_and_keep(of, day, tries)
                         : fetch_batch({of.symbol, of.size, day.from, day.until, stop_}, day.from,
                                       of.progress, tries)
                               .candles;
  return {std::move(candles), is_final, false};
}

std::vector<candle> candle_loader::fetch_and_keep(const request& of, time_range day,
                                                  std::int64_t tries) {
  auto& fresh = fresh_for(of, day);
  if (!fresh.continues(day))
    keep(of, fresh.begin_at(day.from));
  const instant asked_at = schema_.now();
  instant again_from = fresh.ask_from(day, revision_ms());
  auto got =
      fetch_batch({of.symbol, of.size, day.from, day.until, stop_}, again_from, of.progress, tries);
  ask_again(of, fresh, day);
  if (got.again_refused) {
    tell_not_kept(of, {again_from, day.from}, *got.again_refused);
    keep(of, fresh.skip_until(day.from));
    again_from = day.from;
    got.again.clear();
  }
  auto& all = got.again;
  all.insert(all.end(), got.candles.begin(), got.candles.end());
  keep(of, fresh.take({again_from, day.until}, all, asked_at, of.size, revision_ms()));
  return std::move(got.candles);
}

fresh_candles& candle_loader::fresh_for(const request& of, time_range day) {
  auto& newest = of.held.fresh[of.size];
  return newest.is_waiting() && day.until <= newest.begins() ? of.held.older[of.size] : newest;
}

/// The last candles of the day before are asked for by themselves, once, as a question covers one
/// day. When that fails they are not kept, and whoever comes later asks for them.
void candle_loader::ask_again(const request& of, fresh_candles& fresh, time_range day) {
  const instant now = schema_.now();
  const auto rest = fresh.rest_of_days_before(day, now, revision_ms());
  if (!rest)
    return;
  if (is_given_up_ && is_given_up_()) // what came with the day itself is not lost for it
    return keep(of, fresh.skip_until(rest->until));
  std::optional<error> problem;
  try {
    auto got = attempt({of.symbol, of.size, rest->until, rest->until, stop_}, rest->from);
    problem = std::move(got.again_refused);
    if (!problem)
      keep(of, fresh.take(*rest, got.again, now, of.size, revision_ms()));
  } catch (const failure& caught) {
    problem = caught.reason();
  }
  if (problem)
    tell_not_kept(of, *rest, *problem);
  if (fresh.rest_of_days_before(day, now, revision_ms()))
    keep(of, fresh.skip_until(rest->until));
}

void candle_loader::tell_not_kept(const request& of, time_range range, const error& why) {
  keeper_->tell(
      {why.code, fmt::format("exchange {}: {} {} candles from {} to {} are not kept, as they were "
                             "asked for once more: {}",
                             schema_.exchange_name, of.symbol, to_string(of.size),
                             to_iso(range.from), to_iso(range.until), why.message)});
}

void candle_loader::keep(const request& of, fresh_candles::taken taken) {
  for (const auto& change : taken.changes)
    keeper_->tell(
        {error_code::candle_revised, fmt::format("exchange {}: {}", schema_.exchange_name,
                                                 revision_text(change, of.symbol, of.size))});
  keep(of, std::move(taken.settled));
}

void candle_loader::keep(const request& of, std::vector<settled_candles> settled) {
  for (auto& item : settled)
    keeper_->keep(of.symbol, of.size, item.range, std::move(item.candles));
}

void candle_loader::tell(const request& of, instant since, std::span<const candle> data) {
  if (schema_.callbacks.on_candle_data)
    schema_.callbacks.on_candle_data(of.symbol, of.size, since, data);
}

candle_loader::answer candle_loader::fetch_batch(const candle_query& query, instant again_from,
                                                 load_progress& progress, std::int64_t most_tries) {
  const auto tries = ++progress.tries;
  try {
    auto got = attempt(query, again_from);
    progress.tries = 0;
    return got;
  } catch (const failure& caught) {
    require_wanted(); // it may have thrown because of that
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
      throw long_pause_failure(code, fmt::format("{}, longer than the {} s that are waited", text,
                                                 longest_retry_after_.count()));
    // Whom the source asks to wait would not be answered elsewhere either.
    if (tries >= (most_tries > 0 && !postponed ? most_tries : parameters_.get_candles_retry_count))
      throw failure(code, text);
    throw postponed_failure(code, text,
                            postponed ? postponed->retry_after() : delay_after(tries, parameters_));
  }
}

candle_loader::answer candle_loader::attempt(const candle_query& query, instant again_from) {
  const instant length = length_of(query.size);
  // One that closes while it is asked for may have been read before.
  const instant closed_until = schema_.now ? align_down(schema_.now(), length) : query.until;
  answer got;
  auto& batch = got.candles;
  auto asked = query;
  asked.since = again_from;
  try {
    batch = schema_.get_candles(asked);
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
    return item.open_time < again_from || item.open_time >= std::min(query.until, closed_until);
  });
  const auto first =
      std::stable_partition(batch.begin(), batch.end(),
                            [&query](const candle& item) { return item.open_time < query.since; });
  got.again.assign(batch.begin(), first);
  batch.erase(batch.begin(), first);
  if (const auto fault = fault_of(batch, query.size))
    throw failure(*fault);
  got.again_refused = fault_of(got.again, query.size);
  if (got.again_refused && batch.empty() && query.since < query.until)
    throw failure(*got.again_refused); // that is all it said
  return got;
}

std::optional<error> candle_loader::fault_of(std::span<const candle> batch, interval size) const {
  if (const auto fault = check_candles(batch, size, parameters_))
    return error{error_code::bad_candles,
                 fmt::format("candle {} of {}: {}", fault->index, batch.size(), fault->message)};
  if (const auto coarse = find_coarse_batch(batch, size))
    return error{error_code::bad_candles,
                 fmt::format("candle {} of {}: {}", coarse->index, batch.size(),
                             describe(*coarse, size, "answer"))};
  return std::nullopt;
}

} // namespace backtest
