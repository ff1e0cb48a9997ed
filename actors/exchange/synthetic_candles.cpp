#include "actors/exchange/synthetic_candles.hpp"

#include "messages/error.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace backtest {

namespace {

constexpr instant origin = 1'704'067'200'000; // 2024-01-01T00:00:00Z, where the price is known
constexpr instant latest = 9'214'646'400'000; // 2262-01-01T00:00:00Z
constexpr instant longest = 20 * 366 * day_ms;

/// Minutes between two anchors of the walk, about four years.
constexpr int anchor_levels = 21;
constexpr std::int64_t anchor_distance = std::int64_t{1} << anchor_levels;

/// The finaliser of splitmix64: every bit of the input reaches every bit of the output.
constexpr std::uint64_t mix(std::uint64_t value) noexcept {
  value += 0x9e3779b97f4a7c15;
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
  value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
  return value ^ (value >> 31);
}

std::uint64_t key_of(std::uint64_t seed, std::string_view symbol) noexcept {
  std::uint64_t key = mix(seed);
  for (const char c : symbol)
    key = mix(key ^ static_cast<unsigned char>(c));
  return key;
}

/// Sixteen of the bits as a number in [0, 1).
double fraction_of(std::uint64_t bits, int index) noexcept {
  return static_cast<double>((bits >> (16 * index)) & 0xffff) / 65536.0;
}

/// Nearly normal, mean 0, variance 1, never beyond 3.5: a sum of four uniform numbers.
double bell(std::uint64_t bits) noexcept {
  const double sum =
      fraction_of(bits, 0) + fraction_of(bits, 1) + fraction_of(bits, 2) + fraction_of(bits, 3);
  return (sum - 2.0) * std::sqrt(3.0);
}

/// e^x to within 0.06 % for |x| < 3 by arithmetic alone; positive and rising everywhere in
/// |x| < 128, and the walk below stays within 90 at the greatest volatility.
double growth(double x) noexcept {
  double result = (1.0 + x / 128.0) / (1.0 - x / 128.0);
  for (int i = 0; i < 6; ++i)
    result *= result; // to the 64th power
  return result;
}

/// The logarithm of the price as a random walk over minutes from the origin. Anchors are drawn by
/// themselves; every minute between lies on a Brownian bridge, halved again and again: its offset
/// is drawn from the minute alone, and its two neighbours one level up depend on their minutes.
class price_walk {
public:
  price_walk(std::uint64_t key, double volatility) : key_(key) {
    const double sigma = volatility / std::sqrt(525'600.0); // of one minute
    for (int level = 0; level < anchor_levels; ++level)
      offset_[static_cast<std::size_t>(level)] =
          sigma * std::sqrt(static_cast<double>(std::int64_t{1} << level) / 2.0);
    anchor_offset_ = sigma * std::sqrt(static_cast<double>(anchor_distance) / 2.0);
  }

  /// Values at the minutes from `first` to `last`, both included, appended in order.
  void fill(std::int64_t first, std::int64_t last, std::vector<double>& values) const {
    const stretch wanted{first, last, values};
    for (std::int64_t left = align_down(first, anchor_distance); left <= last;
         left += anchor_distance) {
      const double at_left = anchor(left);
      wanted.add(left, at_left);
      bridge(left, anchor_levels - 1, at_left, anchor(left + anchor_distance), wanted);
    }
  }

private:
  struct stretch {
    std::int64_t first;
    std::int64_t last;
    std::vector<double>& values;
    void add(std::int64_t minute, double value) const {
      if (minute >= first && minute <= last)
        values.push_back(value);
    }
  };

  double draw(std::int64_t minute) const noexcept {
    return bell(mix(key_ ^ mix(static_cast<std::uint64_t>(minute))));
  }

  double anchor(std::int64_t minute) const noexcept {
    return minute == 0 ? 0.0 : anchor_offset_ * draw(minute);
  }

  /// The minutes strictly between left and left + 2^(level + 1).
  void bridge(std::int64_t left, int level, double at_left, double at_right,
              const stretch& wanted) const {
    const std::int64_t half = std::int64_t{1} << level;
    if (left + 2 * half <= wanted.first || left >= wanted.last)
      return;
    const std::int64_t middle = left + half;
    const double at_middle =
        (at_left + at_right) / 2.0 + offset_[static_cast<std::size_t>(level)] * draw(middle);
    if (level > 0)
      bridge(left, level - 1, at_left, at_middle, wanted);
    wanted.add(middle, at_middle);
    if (level > 0)
      bridge(middle, level - 1, at_middle, at_right, wanted);
  }

  std::uint64_t key_;
  std::array<double, anchor_levels> offset_{};
  double anchor_offset_ = 0;
};

/// Steps per unit of price: at least a hundred, and fine enough for small prices.
double price_scale(double start_price) noexcept {
  double scale = 100;
  while (start_price * scale < 1e5)
    scale *= 10;
  return scale;
}

/// Nearest whole number of steps, at least one.
std::int64_t to_steps(double value) noexcept {
  constexpr double most = 1e15; // below 2^53, so that prices stay exact multiples
  return std::max<std::int64_t>(1, static_cast<std::int64_t>(std::min(value, most) + 0.5));
}

void require_market(double start_price, double volatility) {
  if (!(start_price >= 1e-6 && start_price <= 1e9))
    throw failure(
        error_code::invalid_argument,
        fmt::format("synthetic candles: start_price {}; expected 1e-6 to 1e9", start_price));
  if (!(volatility >= 0 && volatility <= 5))
    throw failure(error_code::invalid_argument,
                  fmt::format("synthetic candles: volatility {}; expected 0 to 5, as a fraction "
                              "per year",
                              volatility));
}

} // namespace

candle_series generate_candles(std::uint64_t seed, const std::string& symbol, double start_price,
                               double volatility, instant since, instant until) {
  require_market(start_price, volatility);
  candle_series series{symbol, interval::m1, {}};
  if (since >= until)
    return series;
  if (since < 0 || until > latest || until - since > longest)
    throw failure(error_code::invalid_argument,
                  fmt::format("synthetic candles: range {} to {}; expected at most twenty years "
                              "between 1970 and 2262",
                              to_iso(since), to_iso(until)));
  const instant first = (align_up(since, minute_ms) - origin) / minute_ms;
  const instant end = (align_up(until, minute_ms) - origin) / minute_ms;
  if (first == end)
    return series;

  const std::uint64_t key = key_of(seed, symbol);
  const double scale = price_scale(start_price);
  const double sigma = volatility / std::sqrt(525'600.0);
  const std::uint64_t detail_key = mix(key);
  series.candles.reserve(static_cast<std::size_t>(end - first));
  const price_walk walk{key, volatility};
  const auto price_at = [&](double logarithm) {
    return to_steps(start_price * growth(logarithm) * scale);
  };
  // A day at a time: the walk's values need not all be in memory.
  std::vector<double> values;
  for (instant begin = first; begin < end; begin += 1440) {
    const instant stop = std::min<instant>(begin + 1440, end);
    values.clear();
    walk.fill(begin, stop, values);
    std::int64_t open = price_at(values.front());
    for (instant minute = begin; minute < stop; ++minute) {
      const std::int64_t close = price_at(values[static_cast<std::size_t>(minute - begin + 1)]);
      const auto open_steps = static_cast<double>(open);
      const double usual_move = open_steps * sigma;
      const std::uint64_t detail = mix(detail_key ^ mix(static_cast<std::uint64_t>(minute)));
      const auto wick = [&](int index) {
        const double u = fraction_of(detail, index);
        return static_cast<std::int64_t>(1.2 * usual_move * u * u + 0.5);
      };
      const std::int64_t high = std::max(open, close) + wick(0);
      const std::int64_t low = std::max<std::int64_t>(1, std::min(open, close) - wick(1));
      // About a million of the quote currency a minute, more when the price moves.
      const double u = fraction_of(detail, 2);
      const double range = static_cast<double>(high - low) / (usual_move + 1.0);
      const double turnover = (250'000.0 + 750'000.0 * u * u) * (0.5 + range);
      const double volume = turnover / (open_steps / scale);
      series.candles.push_back({origin + minute * minute_ms, open_steps / scale,
                                static_cast<double>(high) / scale, static_cast<double>(low) / scale,
                                static_cast<double>(close) / scale,
                                static_cast<double>(to_steps(volume * 1e4)) / 1e4});
      open = close;
    }
  }
  return series;
}

synthetic_source::synthetic_source(std::uint64_t seed, std::vector<std::string> symbols,
                                   double start_price, double volatility)
    : seed_(seed), symbols_(std::move(symbols)), start_price_(start_price),
      volatility_(volatility) {
  require_market(start_price, volatility);
}

candle_series synthetic_source::load(const std::string& symbol, instant since, instant until,
                                     const configuration&) {
  if (std::find(symbols_.begin(), symbols_.end(), symbol) == symbols_.end())
    throw failure(error_code::not_found,
                  fmt::format("synthetic candles: symbol {} not found; expected one of {}", symbol,
                              fmt::join(symbols_, ", ")));
  return generate_candles(seed_, symbol, start_price_, volatility_, since, until);
}

} // namespace backtest
