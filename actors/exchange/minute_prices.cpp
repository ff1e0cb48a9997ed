#include "actors/exchange/minute_prices.hpp"

#include "actors/exchange/average_price.hpp"

#include <algorithm>
#include <array>
#include <type_traits>

namespace backtest {

namespace {

/// Candles whose traded values are worked out together: few enough to stay near the processor.
constexpr std::size_t block = 512;

struct traded {
  double value = 0;
  double volume = 0;
};

/// Every candle's share of a window is the same in all of them, so it is worked out once; the sums
/// are taken afresh, oldest first.
/// `window`: a number, or one the compiler knows.
template <class Window>
void price_block(std::span<const candle> minutes, std::size_t first, std::size_t last,
                 Window window, std::vector<double>& prices) {
  std::array<traded, block + longest_tabled_window> shares;
  const std::size_t before = std::min<std::size_t>(first, window - 1);
  const std::size_t oldest = first - before;
  for (std::size_t i = oldest; i < last; ++i) {
    const candle& item = minutes[i];
    shares[i - oldest] = {(item.high + item.low + item.close) / 3 * item.volume, item.volume};
  }
  const auto span = static_cast<instant>(window - 1) * minute_ms;
  for (std::size_t i = first; i < last; ++i) {
    const bool whole =
        i + 1 >= window && minutes[i].open_time - minutes[i + 1 - window].open_time == span;
    traded sum;
    if (whole) {
      const traded* share = shares.data() + (i + 1 - window - oldest);
      for (std::size_t k = 0; k < window; ++k) {
        sum.value += share[k].value;
        sum.volume += share[k].volume;
      }
    }
    prices[i] =
        sum.volume != 0
            ? sum.value / sum.volume
            : average_price(price_window(minutes.first(i + 1), minutes[i].open_time + minute_ms,
                                         static_cast<std::int64_t>(std::size_t{window})));
  }
}

template <class Window>
void price_all(std::span<const candle> minutes, Window window, std::vector<double>& prices) {
  for (std::size_t first = 0; first < minutes.size(); first += block)
    price_block(minutes, first, std::min(first + block, minutes.size()), window, prices);
}

} // namespace

shared_prices tabulate_prices(const candle_series& minutes, std::int64_t window) {
  if (window > longest_tabled_window)
    return nullptr;
  auto table = std::make_shared<minute_prices>();
  table->window = window;
  table->prices.resize(minutes.candles.size());
  if (constexpr std::size_t usual = 5; window == usual)
    price_all(minutes.candles, std::integral_constant<std::size_t, usual>{}, table->prices);
  else
    price_all(minutes.candles, static_cast<std::size_t>(window), table->prices);
  return table;
}

} // namespace backtest
