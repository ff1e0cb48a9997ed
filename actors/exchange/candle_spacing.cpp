#include "actors/exchange/candle_spacing.hpp"

#include <algorithm>
#include <map>
#include <numeric>

#include <fmt/format.h>

namespace backtest {

namespace {

struct spacing_facts {
  coarse_spacing usual;
  bool is_most = false; ///< of more than half of the neighbours
  instant grid = 0;     ///< every spacing is a multiple of it
};

/// Where fewer candles are missing than half of the neighbours there are, more than half of these
/// are adjacent.
bool is_mostly_adjacent(std::span<const candle> candles, instant length) {
  const auto neighbours = static_cast<instant>(candles.size()) - 1;
  const instant covered = (candles.back().open_time - candles.front().open_time) / length;
  return 2 * (covered - neighbours) < neighbours;
}

/// Of at least two candles.
spacing_facts spacing_facts_of(std::span<const candle> candles) {
  struct occurrence {
    std::size_t count = 0;
    std::size_t first = 0;
  };
  std::map<instant, occurrence> spacings; // ascending: the smallest of equally frequent ones wins
  for (std::size_t i = 1; i < candles.size(); ++i)
    if (auto& known = spacings[candles[i].open_time - candles[i - 1].open_time]; known.count++ == 0)
      known.first = i;
  const auto usual =
      std::max_element(spacings.begin(), spacings.end(), [](const auto& left, const auto& right) {
        return left.second.count < right.second.count;
      });
  instant grid = 0;
  for (const auto& [spacing, occurrences] : spacings)
    grid = std::gcd(grid, spacing);
  return {{usual->second.first, usual->first}, 2 * usual->second.count > candles.size() - 1, grid};
}

} // namespace

std::optional<coarse_spacing> find_coarse_file(std::span<const candle> candles, interval size) {
  constexpr std::size_t many = 20; // by chance, their spacings have no common divisor
  const instant length = length_of(size);
  if (candles.size() < 2 || is_mostly_adjacent(candles, length))
    return std::nullopt;
  const auto [usual, is_most, grid] = spacing_facts_of(candles);
  if (usual.spacing == length)
    return std::nullopt;
  const bool is_regular =
      candles.size() == 2
          ? usual.spacing >= day_ms || candles.front().open_time % usual.spacing == 0
          : is_most || usual.spacing == grid || (candles.size() > many && grid > length);
  return is_regular ? std::optional{usual} : std::nullopt;
}

std::optional<coarse_spacing> find_coarse_batch(std::span<const candle> candles, interval size) {
  constexpr std::size_t fewest = 12;
  const instant length = length_of(size);
  if (candles.size() < fewest || is_mostly_adjacent(candles, length))
    return std::nullopt;
  const auto [usual, is_most, grid] = spacing_facts_of(candles);
  return usual.spacing != length && is_most && usual.spacing == grid ? std::optional{usual}
                                                                     : std::nullopt;
}

std::string describe(const coarse_spacing& found, interval size, std::string_view whole) {
  return fmt::format("the candle lies {} behind the one before, the usual spacing of the {}; "
                     "expected {} candles",
                     length_text(found.spacing), whole, to_string(size));
}

std::string length_text(instant length) {
  if (length % minute_ms != 0 || length == 0)
    return fmt::format("{} ms", length);
  if (length % day_ms == 0)
    return fmt::format("{}d", length / day_ms);
  if (length % hour_ms == 0)
    return fmt::format("{}h", length / hour_ms);
  return fmt::format("{}m", length / minute_ms);
}

} // namespace backtest
