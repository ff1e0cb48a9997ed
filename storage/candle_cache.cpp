#include "storage/candle_cache.hpp"

#include "messages/error.hpp"
#include "storage/store_key.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace backtest {

namespace {

std::string series_prefix(const cached_series& series) {
  return make_store_prefix({series.exchange, series.symbol, to_string(series.size)});
}

std::string block_key(const cached_series& series, instant start) {
  return series_prefix(series) + number_key_part(static_cast<std::uint64_t>(start));
}

/// The same open times with bounds that are open times; never the wrong way round.
time_range aligned(const cached_series& series, time_range range) {
  if (range.from < 0)
    throw failure(error_code::invalid_argument,
                  fmt::format("candle cache {} {} {}: expected instants from 1970 on, got {}",
                              series.exchange, series.symbol, to_string(series.size),
                              to_iso(range.from)));
  // Rounding up from the very end of time would overflow.
  const instant length = length_of(series.size);
  const auto up = [length](instant when) {
    return when > end_of_time - length ? align_down(when, length) : align_up(when, length);
  };
  range.from = up(range.from);
  range.until = std::max(range.from, up(range.until));
  return range;
}

void check_answer(const cached_series& series, time_range range, std::span<const candle> candles) {
  instant next = range.from;
  for (const auto& bar : candles) {
    if (bar.open_time < next || bar.open_time >= range.until ||
        align_down(bar.open_time, length_of(series.size)) != bar.open_time)
      throw failure(error_code::invalid_argument,
                    fmt::format("candle cache {} {} {}: candle {}: expected ascending open times, "
                                "multiples of the interval, from {} until before {}",
                                series.exchange, series.symbol, to_string(series.size),
                                to_iso(bar.open_time), to_iso(next), to_iso(range.until)));
    next = bar.open_time + length_of(series.size);
  }
}

/// Adds a range at the end, to the last one where they touch.
void append_range(std::vector<time_range>& ranges, time_range next) {
  if (next.from >= next.until)
    return;
  if (!ranges.empty() && ranges.back().until == next.from)
    ranges.back().until = next.until;
  else
    ranges.push_back(next);
}

void append_block(cached_candles& found, const candle_block& block, time_range wanted) {
  instant known = wanted.from; // up to here
  for (const auto& range : block.covered) {
    if (range.until <= known)
      continue;
    if (range.from >= wanted.until)
      break;
    append_range(found.missing, {known, range.from});
    known = range.until;
  }
  append_range(found.missing, {known, wanted.until});
  const auto before = [](const candle& bar, instant when) { return bar.open_time < when; };
  const auto& bars = block.candles;
  const auto first = std::lower_bound(bars.begin(), bars.end(), wanted.from, before);
  found.candles.insert(found.candles.end(), first,
                       std::lower_bound(first, bars.end(), wanted.until, before));
}

/// What the key has once the batch, which may write it more than once, is committed to the store.
std::optional<std::string> value_after(const store_batch& batch, const store_reader& from,
                                       const std::string& key) {
  std::optional<store_write> last;
  for (const auto& write : batch)
    if (write.space == store_space::candles && write.key == key)
      last = write;
  if (!last)
    return from.get(store_space::candles, key);
  return last->value ? std::optional{std::string{*last->value}} : std::nullopt;
}

} // namespace

cached_candles read_cached_candles(const store_reader& from, const cached_series& series,
                                   time_range range) {
  const auto wanted = aligned(series, range);
  const auto prefix = series_prefix(series);
  const instant length = block_length(series.size);
  cached_candles found;
  instant reached = wanted.from;      // everything before is in `found`
  constexpr std::size_t at_once = 64; // bounds the bytes in memory
  for (auto next = block_key(series, block_start(wanted.from, series.size));
       reached < wanted.until;) {
    const auto entries = from.scan(store_space::candles, prefix, next, at_once);
    for (const auto& entry : entries) {
      const auto number = parse_number_key_part(std::string_view{entry.key}.substr(prefix.size()));
      if (number && *number >= static_cast<std::uint64_t>(wanted.until)) {
        append_range(found.missing, {reached, wanted.until});
        return found;
      }
      const auto start = static_cast<instant>(number.value_or(1)); // 1 is no start of a block
      const auto block = block_start(start, series.size) == start
                             ? unpack_block(entry.value, series.size, start)
                             : std::nullopt;
      if (!block) {
        found.corrupt.push_back(entry.key);
        continue;
      }
      append_range(found.missing, {reached, std::max(reached, start)});
      const time_range part{std::max(reached, start), std::min(wanted.until, start + length)};
      append_block(found, *block, part);
      reached = part.until;
    }
    if (entries.size() < at_once)
      break;
    next = entries.back().key + '\0'; // the smallest key behind it
  }
  append_range(found.missing, {reached, wanted.until});
  return found;
}

std::vector<time_range> missing_candles(const store_reader& from, const cached_series& series,
                                        time_range range) {
  return read_cached_candles(from, series, range).missing;
}

std::vector<std::string> write_cached_candles(store_batch& batch, const store_reader& from,
                                              const cached_series& series, time_range range,
                                              std::span<const candle> candles) {
  const auto answered = aligned(series, range);
  check_answer(series, answered, candles);
  std::vector<std::string> corrupt;
  auto bar = candles.begin();
  const instant length = block_length(series.size);
  for (instant start = block_start(answered.from, series.size); start < answered.until;
       start += length) {
    const time_range part{std::max(start, answered.from), std::min(start + length, answered.until)};
    const auto first = bar;
    while (bar != candles.end() && bar->open_time < part.until)
      ++bar;
    const auto key = block_key(series, start);
    candle_block block;
    if (const auto bytes = value_after(batch, from, key)) {
      if (auto old = unpack_block(*bytes, series.size, start))
        block = std::move(*old);
      else
        corrupt.push_back(key);
    }
    merge_into_block(block, part, {first, bar});
    batch.put(store_space::candles, key, pack_block(block));
  }
  return corrupt;
}

} // namespace backtest
