#pragma once

#include "runtime/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <random>
#include <string>
#include <vector>

namespace backtest::testing {

inline constexpr instant t0 = 1704067200000; // 2024-01-01

/// Trade k opens at t0 + 3k days and lasts 600 + 60k minutes.
inline std::vector<trade_record> trades_of(const std::vector<double>& returns) {
  std::vector<trade_record> trades;
  for (std::size_t k = 0; k < returns.size(); ++k) {
    const auto n = static_cast<instant>(k);
    const instant open = t0 + 3 * n * day_ms;
    trades.push_back({open, open + (600 + 60 * n) * minute_ms, returns[k], {}, {}, k});
  }
  return trades;
}

inline const std::vector<double> returns_a{2, -1, 1.5, 0, 0.8, -2.5, 3, -0.4, 1.2, -1.1, 0.6, 2.2};

/// The figure as a number, counts included; NaN when it is absent or unknown.
inline double figure(const trade_statistics& statistics, std::string_view key) {
  const auto value = find_statistic(statistics, key);
  if (!value)
    return __builtin_nan("");
  if (const auto* count = std::get_if<std::int64_t>(&*value))
    return static_cast<double>(*count);
  return std::get<std::optional<double>>(*value).value_or(__builtin_nan(""));
}

/// Trades with equal times, equal returns, break-evens, invalid ones and now and then a blown
/// account.
inline std::vector<trade_record> random_trades(std::mt19937_64& random, std::size_t at_most) {
  const auto below = [&](std::uint64_t bound) { return static_cast<instant>(random() % bound); };
  std::vector<trade_record> trades(random() % (at_most + 1));
  const instant spacing = 1 + below(3 * day_ms);
  const bool is_wild = below(10) == 0;
  instant open = t0;
  std::uint64_t seq = 0;
  for (auto& t : trades) {
    open += below(3) == 0 ? 0 : below(static_cast<std::uint64_t>(spacing));
    t.open_ts = below(40) == 0 ? 0 : open;
    t.close_ts = open + minute_ms * below(500) - (below(40) == 0 ? day_ms : 0);
    t.pnl = static_cast<double>(below(61) - 30) / 10;
    if (is_wild && below(10) == 0)
      t.pnl *= 50;
    if (below(50) == 0)
      t.pnl = std::numeric_limits<double>::quiet_NaN();
    if (below(2) == 0) {
      t.peak = std::max(t.pnl, 0.0) + static_cast<double>(below(10)) / 10;
      t.fall = std::min(t.pnl, 0.0) - static_cast<double>(below(10)) / 10;
      if (!std::isfinite(t.pnl))
        t.peak = t.fall = 0;
    }
    t.seq = seq++;
  }
  return trades;
}

} // namespace backtest::testing
