#include "actors/exchange/candle_copies.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <limits>
#include <utility>

namespace backtest {

namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

/// Its time is one that no candle has.
constexpr candle unknown_candle{std::numeric_limits<instant>::min(),
                                not_a_number,
                                not_a_number,
                                not_a_number,
                                not_a_number,
                                not_a_number};

constexpr std::size_t smallest_page = 2 * candle_copies::guard;
constexpr std::size_t largest_kept_page = 64 * candle_copies::guard; // 3 MiB

/// Pages of unknown candles for the next signal source that this thread calls: making one costs
/// more than most sources do. It is memory and nothing else: no page holds a candle while it is
/// here.
std::array<std::vector<candle>, 4>& spare_pages() {
  thread_local std::array<std::vector<candle>, 4> pages;
  return pages;
}

std::vector<candle> take_page(std::size_t size) {
  for (auto& spare : spare_pages())
    if (spare.size() >= size)
      return std::exchange(spare, {});
  return std::vector<candle>(std::bit_ceil(std::max(size, smallest_page)), unknown_candle);
}

} // namespace

std::span<const candle> candle_copies::add(std::span<const candle> known) {
  const std::size_t needed = known.size() + guard;
  if (pages_.empty() || pages_.back().candles.size() - pages_.back().used < needed)
    pages_.push_back({take_page(needed), 0});
  auto& [candles, used] = pages_.back();
  const auto first = candles.begin() + static_cast<std::ptrdiff_t>(used);
  const auto end = std::copy(known.begin(), known.end(), first);
  used = std::min(used + known.size() + 1, candles.size());
  return {first, end};
}

std::vector<candle> guarded_copy(std::span<const candle> known) {
  std::vector<candle> copy(known.size() + candle_copies::guard, unknown_candle);
  std::copy(known.begin(), known.end(), copy.begin());
  copy.resize(known.size()); // which leaves the others where they are
  return copy;
}

void candle_copies::give_back() noexcept {
  for (auto& [candles, used] : pages_) {
    if (candles.size() > largest_kept_page)
      continue;
    std::fill_n(candles.begin(), used, unknown_candle);
    for (auto& spare : spare_pages())
      if (spare.size() < candles.size()) {
        spare.swap(candles);
        break;
      }
  }
  pages_.clear();
}

} // namespace backtest
