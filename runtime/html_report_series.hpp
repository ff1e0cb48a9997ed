#pragma once

#include "runtime/statistics.hpp"

#include <span>
#include <string>
#include <vector>

namespace backtest::html {

struct point {
  instant when = 0;
  double value = 0;
};

/// Percent gained since the start, and percent below the highest point so far (never above zero);
/// all capital goes into each trade, one after another. The last point of equity is the compounded
/// return of the statistics, the lowest one of drawdown their maximal drawdown.
struct curves {
  std::vector<point> equity;
  std::vector<point> drawdown;
};

/// The valid trades of several runs as one sequence in order of closing.
std::vector<trade_record> in_order(std::span<const std::span<const trade_record>> members);
curves curves_of(std::span<const trade_record> in_order);

/// At most about `limit` points with the same outline: first, last, and the lowest and highest of
/// each stretch stay.
std::vector<point> thinned(std::vector<point> points, std::size_t limit);

/// Round numbers for an axis from about `low` to about `high`.
struct value_axis {
  double low = 0;
  double high = 1;
  double step = 1;
  int digits = 0; ///< decimals that tell the marks apart

  std::vector<double> marks() const;
};

/// Bounds that are equal are moved apart.
value_axis axis_of(double low, double high, int marks);

struct time_mark {
  instant when = 0;
  std::string label;
};

/// Marks at round times, at most `limit`.
std::vector<time_mark> time_marks(instant from, instant until, int limit);

/// Trades that closed in one month and what they came to, compounded.
struct month_return {
  int year = 0;
  int month = 0; ///< 1 to 12
  double percent = 0;
  std::int64_t trades = 0;
};

std::vector<month_return> monthly_returns(std::span<const trade_record> in_order);

/// Counts of results between `low + i * width` and the next; the bars cover all results.
struct distribution {
  double low = 0;
  double width = 1;
  std::vector<std::int64_t> counts;
};

/// A bar ends at zero, so that none mixes gains and losses.
distribution distribution_of(std::span<const trade_record> trades);

} // namespace backtest::html
