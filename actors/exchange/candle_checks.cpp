#include "actors/exchange/candle_checks.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace backtest {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

/// Every comparison is false for NaN, so none slips through.
bool is_sound(const candle& item) noexcept {
  return item.low > 0 && item.low <= item.open && item.open <= item.high &&
         item.low <= item.close && item.close <= item.high && item.high < infinity &&
         item.volume >= 0 && item.volume < infinity;
}

bool is_price(double value) noexcept { return value > 0 && value < infinity; }

std::array<std::pair<std::string_view, double>, 4> prices_of(const candle& item) {
  return {{{"open", item.open}, {"high", item.high}, {"low", item.low}, {"close", item.close}}};
}

/// What is wrong with a candle that is not sound, not aligned or not later than the one before.
std::string describe(std::span<const candle> batch, std::size_t index, interval size) {
  const candle& item = batch[index];
  if (item.open_time % length_of(size) != 0)
    return fmt::format("open_time {} is not aligned; expected a multiple of {} ms ({})",
                       item.open_time, length_of(size), to_string(size));
  if (index > 0 && item.open_time <= batch[index - 1].open_time)
    return fmt::format("open_time {} does not follow {}; expected strictly increasing open times",
                       item.open_time, batch[index - 1].open_time);
  for (const auto& [name, price] : prices_of(item))
    if (!is_price(price))
      return fmt::format("{} is {}; expected a finite price > 0", name, price);
  if (!(item.volume >= 0 && item.volume < infinity))
    return fmt::format("volume is {}; expected a finite number >= 0", item.volume);
  return fmt::format("open {}, high {}, low {}, close {}: expected low <= open, close <= high",
                     item.open, item.high, item.low, item.close);
}

struct price_reference {
  double price = 0;
  std::string_view kind;
  std::size_t count = 0;
};

price_reference reference_of(std::span<const candle> batch, const configuration& limits) {
  std::vector<double> prices;
  prices.reserve(batch.size() * 4);
  for (const candle& item : batch)
    for (const auto& [name, price] : prices_of(item))
      if (is_price(price))
        prices.push_back(price);
  if (prices.empty())
    return {};
  if (std::cmp_greater_equal(batch.size(), limits.get_candles_min_candles_for_median)) {
    const auto middle = prices.begin() + static_cast<std::ptrdiff_t>(prices.size() / 2);
    std::nth_element(prices.begin(), middle, prices.end());
    return {*middle, "median", prices.size()};
  }
  // Rounding must not lift the mean of equal prices above each of them.
  const double mean =
      std::accumulate(prices.begin(), prices.end(), 0.0) / static_cast<double>(prices.size());
  return {std::min(mean, *std::max_element(prices.begin(), prices.end())), "mean", prices.size()};
}

std::optional<candle_fault> find_anomaly(std::span<const candle> batch, std::size_t examined,
                                         const configuration& limits) {
  const auto reference = reference_of(batch, limits);
  const auto factor = limits.get_candles_price_anomaly_threshold_factor;
  const double lowest = reference.price / static_cast<double>(factor);
  for (std::size_t i = 0; i < examined; ++i)
    for (const auto& [name, price] : prices_of(batch[i]))
      if (price < lowest)
        return candle_fault{
            i, fmt::format("{} {} is an anomaly; expected at least {} (the {} of the batch's {} "
                           "prices, {}, divided by {})",
                           name, price, lowest, reference.kind, reference.count, reference.price,
                           factor)};
  return std::nullopt;
}

} // namespace

std::optional<candle_fault> check_candles(std::span<const candle> batch, interval size,
                                          const configuration& limits) {
  const instant length = length_of(size);
  double lowest = infinity;
  double highest = 0;
  std::size_t sound = 0;
  for (; sound < batch.size(); ++sound) {
    const candle& item = batch[sound];
    if (!is_sound(item))
      break;
    if (sound > 0 && item.open_time <= batch[sound - 1].open_time)
      break;
    // A neighbour of an aligned candle is aligned: the division is for the first and after gaps.
    const bool adjacent =
        sound > 0 && static_cast<std::uint64_t>(item.open_time) -
                             static_cast<std::uint64_t>(batch[sound - 1].open_time) ==
                         static_cast<std::uint64_t>(length);
    if (!adjacent && item.open_time % length != 0)
      break;
    lowest = std::min(lowest, item.low);
    highest = std::max(highest, item.high);
  }
  const bool all_sound = sound == batch.size();
  // The reference lies below the highest price, so no median is needed in an ordinary batch.
  const auto factor = static_cast<double>(limits.get_candles_price_anomaly_threshold_factor);
  if (all_sound && lowest >= highest / factor)
    return std::nullopt;
  if (auto anomaly = find_anomaly(batch, sound, limits))
    return anomaly;
  if (all_sound)
    return std::nullopt;
  return candle_fault{sound, describe(batch, sound, size)};
}

} // namespace backtest
