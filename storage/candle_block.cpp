#include "storage/candle_block.hpp"

#include <algorithm>
#include <bit>
#include <iterator>

#include <zlib.h>

namespace backtest {

namespace {

constexpr char version = 1;
constexpr std::size_t head_bytes = 1 + 4; // version, checksum
constexpr std::size_t range_bytes = 2 * 8;
constexpr std::size_t candle_bytes = 6 * 8;

template <class Unsigned>
void append_number(std::string& out, Unsigned value) {
  for (std::size_t i = 0; i < sizeof value; ++i)
    out += static_cast<char>((value >> (8 * i)) & 0xFFU);
}

template <class Unsigned>
Unsigned take_number(std::string_view& bytes) {
  Unsigned value = 0;
  for (std::size_t i = 0; i < sizeof value; ++i)
    value |= static_cast<Unsigned>(static_cast<unsigned char>(bytes[i])) << (8 * i);
  bytes.remove_prefix(sizeof value);
  return value;
}

void append_time(std::string& out, instant when) {
  append_number(out, static_cast<std::uint64_t>(when));
}
void append_double(std::string& out, double value) {
  append_number(out, std::bit_cast<std::uint64_t>(value));
}
instant take_time(std::string_view& bytes) {
  return static_cast<instant>(take_number<std::uint64_t>(bytes));
}
double take_double(std::string_view& bytes) {
  return std::bit_cast<double>(take_number<std::uint64_t>(bytes));
}

std::uint32_t checksum(std::string_view bytes) {
  const auto start = crc32(0, nullptr, 0);
  return static_cast<std::uint32_t>(
      crc32(start, reinterpret_cast<const Bytef*>(bytes.data()), static_cast<uInt>(bytes.size())));
}

/// What the checksum cannot tell: bytes that were wrong when they were written.
bool is_sound(const candle_block& block, interval size, instant start) {
  instant end = start;
  for (const auto& range : block.covered) {
    if (range.from < end || range.from >= range.until)
      return false;
    end = range.until;
  }
  if (end > start + block_length(size))
    return false;
  auto range = block.covered.begin();
  instant next = start;
  for (const auto& bar : block.candles) {
    while (range != block.covered.end() && range->until <= bar.open_time)
      ++range;
    if (range == block.covered.end() || bar.open_time < range->from || bar.open_time < next ||
        align_down(bar.open_time, length_of(size)) != bar.open_time)
      return false;
    next = bar.open_time + length_of(size);
  }
  return true;
}

} // namespace

std::string pack_block(const candle_block& block) {
  std::string body;
  body.reserve(8 + block.covered.size() * range_bytes + block.candles.size() * candle_bytes);
  append_number(body, static_cast<std::uint32_t>(block.covered.size()));
  append_number(body, static_cast<std::uint32_t>(block.candles.size()));
  for (const auto& range : block.covered) {
    append_time(body, range.from);
    append_time(body, range.until);
  }
  for (const auto& bar : block.candles) {
    append_time(body, bar.open_time);
    for (double number : {bar.open, bar.high, bar.low, bar.close, bar.volume})
      append_double(body, number);
  }
  std::string bytes(1, version);
  bytes.reserve(head_bytes + body.size());
  append_number(bytes, checksum(body));
  return bytes += body;
}

std::optional<candle_block> unpack_block(std::string_view bytes, interval size, instant start) {
  if (bytes.size() < head_bytes + 8 || bytes.front() != version)
    return std::nullopt;
  bytes.remove_prefix(1);
  const auto expected = take_number<std::uint32_t>(bytes);
  if (checksum(bytes) != expected)
    return std::nullopt;
  const std::uint64_t ranges = take_number<std::uint32_t>(bytes);
  const std::uint64_t candles = take_number<std::uint32_t>(bytes);
  if (bytes.size() != ranges * range_bytes + candles * candle_bytes)
    return std::nullopt;
  candle_block block;
  block.covered.resize(ranges);
  for (auto& range : block.covered) {
    range.from = take_time(bytes);
    range.until = take_time(bytes);
  }
  block.candles.resize(candles);
  for (auto& bar : block.candles) {
    bar.open_time = take_time(bytes);
    for (double* number : {&bar.open, &bar.high, &bar.low, &bar.close, &bar.volume})
      *number = take_double(bytes);
  }
  if (!is_sound(block, size, start))
    return std::nullopt;
  return block;
}

void merge_into_block(candle_block& block, time_range answered, std::vector<candle> candles) {
  if (answered.from >= answered.until)
    return;
  std::erase_if(block.candles, [&](const candle& bar) {
    return bar.open_time >= answered.from && bar.open_time < answered.until;
  });
  const auto behind =
      std::partition_point(block.candles.begin(), block.candles.end(),
                           [&](const candle& bar) { return bar.open_time < answered.from; });
  block.candles.insert(behind, std::move_iterator(candles.begin()),
                       std::move_iterator(candles.end()));

  std::vector<time_range> covered;
  for (const auto& range : block.covered) {
    if (range.until < answered.from || range.from > answered.until) {
      covered.push_back(range);
      continue;
    }
    answered.from = std::min(answered.from, range.from);
    answered.until = std::max(answered.until, range.until);
  }
  covered.insert(
      std::partition_point(covered.begin(), covered.end(),
                           [&](const time_range& range) { return range.from < answered.from; }),
      answered);
  block.covered = std::move(covered);
}

} // namespace backtest
