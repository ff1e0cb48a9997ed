#pragma once

#include "runtime/column.hpp"
#include "runtime/statistics.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace backtest {

using figure_format = std::string (*)(double);

/// The ways figures are printed: what a name says, then the number of decimals.
namespace figure_text {
std::string number1(double value);
std::string ratio3(double value);
std::string percent2(double value);
std::string percent3(double value);
std::string negative_percent2(double value); ///< drawdowns, which are kept positive
std::string signed_percent2(double value);
std::string signed_percent3(double value);
std::string minutes1(double value); ///< "12.3 min"
} // namespace figure_text

inline constexpr std::string_view higher_is_better = " (higher is better)";
inline constexpr std::string_view lower_is_better = " (lower is better)";
inline constexpr std::string_view closer_to_zero_is_better = " (closer to 0 is better)";

enum class line_shown : std::uint8_t { always, when_measured };

/// A labelled line of a report that prints one figure.
struct figure_line {
  std::string_view label;
  statistic_member member;
  figure_format format = nullptr; ///< not for counts
  std::string_view hint = {};
  line_shown when = line_shown::always;
};

/// "1.50%", a count, "N/A (min_trades_ratio)", or "1.50% (latest 1000 of 1200 trades)" of a figure
/// that covers these alone.
std::string figure_of(const trade_statistics& statistics, const statistic_member& member,
                      figure_format format);

/// A column of a table whose rows have `statistics`. `format`: not for counts.
template <class Row>
column<Row> figure_column(std::string key, std::string label, statistic_member member,
                          figure_format format = nullptr) {
  return {std::move(key), std::move(label), [member, format](const Row& row, std::size_t) {
            return figure_of(row.statistics, member, format);
          }};
}

/// One labelled line per figure, the hint behind those that are there; the win rate tells wins and
/// losses.
std::string figure_lines(const trade_statistics& statistics, std::span<const figure_line> lines);

} // namespace backtest
