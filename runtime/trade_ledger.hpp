#pragma once

#include "runtime/trade_sample.hpp"

#include <optional>
#include <span>
#include <string>

namespace backtest {

/// What a run covered: its first and last instant and the symbol's closes there. Gives buy-and-hold
/// return and exposure their meaning.
struct run_bounds {
  instant start = 0;
  instant end = 0;
  std::optional<double> first_close;
  std::optional<double> last_close;
};

/// The closed trades of one run and the figures they make. A position still open counts for
/// exposure alone.
class trade_ledger {
public:
  explicit trade_ledger(const configuration& config);

  /// `closed` makes a trade, `opened` a position held until then; others are ignored. `seq` orders
  /// trades that closed at the same instant, also across symbols; absent: the order of arrival
  /// here. The trade, if there was one.
  std::optional<trade_record> apply(const tick_result& result, std::optional<std::uint64_t> seq);
  /// Known once a run has begun or ended; figures that need it are N/A before.
  void set_bounds(const run_bounds& bounds) noexcept { bounds_ = bounds; }
  void clear() noexcept;

  const trade_sample& trades() const noexcept { return trades_; }
  /// When the position that is still open was opened.
  const std::optional<instant>& open_since() const noexcept { return open_since_; }
  const std::optional<run_bounds>& bounds() const noexcept { return bounds_; }
  const statistics_gates& gates() const noexcept { return gates_; }

  trade_statistics statistics() const;
  /// The block below the table of a report: the figures, and what they rest on.
  std::string summary() const;

private:
  statistics_gates gates_;
  trade_sample trades_;
  std::optional<instant> open_since_;
  std::optional<run_bounds> bounds_;
};

/// Statistics over the pooled trades of several ledgers; exposure covers the time from the first
/// start to the last end known. `together`: the trades that went into these ledgers, all in one
/// sample; what needs their common order (drawdown) is told from it where ledgers no longer hold
/// theirs. It is not used when it has others, too.
trade_statistics pooled_statistics(std::span<const trade_ledger* const> members,
                                   const statistics_gates& gates,
                                   const trade_sample* together = nullptr);

} // namespace backtest
