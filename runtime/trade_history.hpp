#pragma once

#include "runtime/statistics.hpp"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <vector>

namespace backtest {

/// A count, a sum and their quotient.
struct running_average {
  std::int64_t count = 0;
  double sum = 0;

  void add(double value) noexcept {
    ++count;
    sum += value;
  }
  void merge(const running_average& other) noexcept {
    count += other.count;
    sum += other.sum;
  }
  double mean() const noexcept { return sum / static_cast<double>(count); }
};

/// Squared deviations from the mean without the values they are of: one by one as Welford does it,
/// two sets as Chan does it.
struct running_deviation {
  std::int64_t count = 0;
  double mean = 0;
  double squares = 0;

  void add(double value) noexcept;
  /// Merging with nothing changes no bit.
  void merge(const running_deviation& other) noexcept;
  /// Divides by N - 1; not a number below two values.
  double sample_deviation() const noexcept;
};

/// In two passes over the values.
running_deviation deviation_of(std::span<const double> values) noexcept;

/// Mean, and the largest of value * direction, of what trades carry now and then.
struct running_extreme {
  running_average carried;
  double furthest = -std::numeric_limits<double>::infinity();

  void add(const std::optional<double>& value, double direction) noexcept;
  void merge(const running_extreme& other) noexcept;
};

/// Sums and extremes of valid trades; apart from rounding their order is of no account.
struct trade_totals {
  running_average all, wins, losses;
  running_average duration, win_duration, loss_duration; ///< minutes
  double loss_squares = 0;
  running_extreme peak, fall;
  instant first_open = end_of_time;
  instant last_close = 0;

  void add(const trade_record& trade) noexcept;
  void merge(const trade_totals& other) noexcept;
};

/// Runs of consecutive wins, or of consecutive losses.
class trade_streaks {
public:
  void extend(double pnl) noexcept {
    ++length_;
    pnl_ += pnl;
  }
  /// The run under way is over.
  void finish() noexcept;
  /// Those of another member; both are finished.
  void merge(const trade_streaks& other) noexcept;
  std::int64_t longest() const noexcept { return longest_; }
  const running_average& pnl_of_runs() const noexcept { return pnl_of_runs_; }

private:
  std::int64_t length_ = 0;
  double pnl_ = 0;
  std::int64_t longest_ = 0;
  running_average pnl_of_runs_;
};

/// Of one member, whose trades are added in order of closing; break-even ends both.
struct win_loss_streaks {
  trade_streaks wins;
  trade_streaks losses;

  void add(const trade_record& trade) noexcept;
  void finish() noexcept;
  void merge(const win_loss_streaks& other) noexcept;
};

/// What all capital becomes in trades that are added in order of closing.
class equity_curve {
public:
  void add(const trade_record& trade) noexcept;

  /// Times the capital at the start; 0 when nothing is left, not finite after an overflow.
  double growth() const noexcept { return growth_; }
  double max_drawdown() const noexcept { return max_drawdown_; } ///< percent
  bool is_blown() const noexcept { return is_blown_; }

  /// Growth and ruin of two curves whose trades took turns in an order that is not known; their
  /// drawdown cannot be told unless nothing is left.
  void multiply(const equity_curve& other) noexcept;

private:
  bool visit(double equity) noexcept;

  double growth_ = 1;
  double peak_ = 1;
  double max_drawdown_ = 0;
  bool is_blown_ = false;
  bool is_over_ = false;
};

/// What remains of trades that are no longer there one by one; added in order of closing.
struct trade_history {
  trade_totals totals;
  running_deviation deviation;
  win_loss_streaks streaks;
  equity_curve equity;

  void add(const trade_record& trade) noexcept;
};

/// The time during which at least one position was open, as disjoint stretches. The oldest of very
/// many are kept as their sum: a position that was opened before the end of such a stretch can no
/// longer be told apart from them, and the time becomes unknown.
class open_time {
public:
  /// Stretches that are told apart at least.
  static constexpr std::size_t least_stretches = 512;

  void add(instant from, instant until);
  /// Unknown from then on when either has stretches that are kept as a sum.
  void merge(const open_time& other);

  /// Milliseconds within [start, end]; absent when they are not known.
  std::optional<instant> within(instant start, instant end) const noexcept;

private:
  struct stretch {
    instant from;
    instant until;
  };

  void sum_up_oldest();

  std::vector<stretch> stretches_; ///< ascending
  instant summed_ = 0;             ///< milliseconds of stretches before those
  instant summed_from_ = 0;
  instant summed_until_ = 0; ///< 0: none was summed up
  bool is_known_ = true;
};

} // namespace backtest
