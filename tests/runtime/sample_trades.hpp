#pragma once

#include "runtime/statistics.hpp"

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

} // namespace backtest::testing
