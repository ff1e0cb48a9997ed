#pragma once

#include "messages/event.hpp"
#include "runtime/statistics.hpp"
#include "runtime/trade_history.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace backtest {

/// The trade of a closed result. What the result lacks makes the record invalid, so it is counted
/// as excluded rather than lost.
trade_record record_of(const tick_result& closed, std::uint64_t seq);

/// A position that is still open, held up to `until`, as exposure counts it; none without `since`.
std::vector<trade_record> open_position(std::optional<instant> since, instant until);

/// The closed trades that figures are computed from, in order of closing. The newest `capacity` are
/// held one by one, 64 bytes a trade; older ones continue to count in what was summed up when they
/// made room. Memory grows with use.
class trade_sample {
public:
  explicit trade_sample(std::size_t capacity) : capacity_(std::max<std::size_t>(capacity, 1)) {}

  /// Trades may come out of order as long as those that close later still have room.
  void add(const trade_record& trade);
  void clear() noexcept;

  /// Trades added since the last clear, and how many of them are invalid: those are counted alone.
  std::int64_t total() const noexcept { return total_; }
  std::int64_t excluded() const noexcept { return excluded_; }
  /// Valid trades that are no longer held, and what remains of them.
  std::int64_t dropped() const noexcept { return dropped_.totals.all.count; }
  const trade_history& history() const noexcept { return dropped_; }
  /// Valid trades, the newest, in order of closing.
  std::span<const trade_record> records() const noexcept {
    return std::span{held_}.subspan(begin_);
  }

  /// False once a trade came that closed before one that was no longer held: what depends on the
  /// order (drawdown, streaks) is not known any more.
  bool is_in_order() const noexcept { return is_in_order_; }
  /// When a position was open, as far as all these trades tell.
  open_time time_open() const;

private:
  void drop_oldest();

  std::size_t capacity_;
  std::vector<trade_record> held_; ///< in order of closing, from `begin_` on
  std::size_t begin_ = 0;
  trade_history dropped_;
  open_time dropped_time_;
  std::optional<trade_record> latest_dropped_; ///< by order of closing
  std::int64_t total_ = 0;
  std::int64_t excluded_ = 0;
  bool is_in_order_ = true;
};

/// The newest rows of a report table, newest first.
template <class Row>
class newest_rows {
public:
  explicit newest_rows(std::size_t capacity) : capacity_(std::max<std::size_t>(capacity, 1)) {}

  void add(Row&& row) {
    if (rows_.size() >= 2 * capacity_) // one move a row, on average
      rows_.erase(rows_.begin(), rows_.end() - static_cast<std::ptrdiff_t>(capacity_ - 1));
    rows_.push_back(std::move(row));
  }
  void clear() noexcept { rows_.clear(); }

  bool empty() const noexcept { return rows_.empty(); }
  std::size_t size() const noexcept { return std::min(rows_.size(), capacity_); }
  auto begin() const noexcept { return rows_.rbegin(); }
  auto end() const noexcept { return rows_.rbegin() + static_cast<std::ptrdiff_t>(size()); }

  /// Null when there is none.
  Row* newest() noexcept { return rows_.empty() ? nullptr : &rows_.back(); }
  /// The newest row that satisfies the condition, to be replaced in place; null when none does.
  template <class Condition>
  Row* find(Condition condition) {
    const auto last = rows_.rbegin() + static_cast<std::ptrdiff_t>(size());
    const auto found = std::find_if(rows_.rbegin(), last, condition);
    return found == last ? nullptr : &*found;
  }

private:
  std::size_t capacity_;
  std::vector<Row> rows_; ///< oldest first; all but the newest `capacity_` count as gone
};

} // namespace backtest
