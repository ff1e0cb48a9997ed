#pragma once

#include "messages/event.hpp"
#include "runtime/statistics.hpp"

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

/// The closed trades a report computes its statistics from: the newest `capacity`, and how many
/// there were in all. Memory grows with use, 64 bytes a trade.
class trade_sample {
public:
  explicit trade_sample(std::size_t capacity) : capacity_(std::max<std::size_t>(capacity, 1)) {}

  void add(const trade_record& trade) {
    if (records_.size() < capacity_)
      records_.push_back(trade);
    else
      records_[static_cast<std::size_t>(total_) % capacity_] = trade;
    ++total_;
  }
  void clear() noexcept {
    records_.clear();
    total_ = 0;
  }

  /// Trades added since the last clear.
  std::int64_t total() const noexcept { return total_; }
  /// How many of them, the oldest, are no longer held.
  std::int64_t dropped() const noexcept { return total_ - std::ssize(records_); }
  /// In no particular order.
  std::span<const trade_record> records() const noexcept { return records_; }

private:
  std::size_t capacity_;
  std::vector<trade_record> records_; // a ring once it is full
  std::int64_t total_ = 0;
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
