#include "runtime/trade_sample.hpp"

#include <algorithm>
#include <limits>

namespace backtest {

trade_record record_of(const tick_result& closed, std::uint64_t seq) {
  trade_record record;
  record.open_ts = closed.signal ? closed.signal->pending_at.value_or(0) : 0;
  record.close_ts = closed.close_timestamp.value_or(0);
  record.pnl = closed.pnl ? closed.pnl->pnl_percentage : std::numeric_limits<double>::quiet_NaN();
  record.peak = closed.peak_pnl;
  record.fall = closed.fall_pnl;
  record.seq = seq;
  return record;
}

std::vector<trade_record> open_position(std::optional<instant> since, instant until) {
  if (!since || *since >= until)
    return {};
  trade_record held;
  held.open_ts = *since;
  held.close_ts = until;
  return {held};
}

void trade_sample::add(const trade_record& trade) {
  ++total_;
  if (!is_valid(trade)) {
    ++excluded_;
    return;
  }
  if (latest_dropped_ && closes_before(trade, *latest_dropped_)) {
    dropped_.add(trade);
    dropped_time_.add(trade.open_ts, trade.close_ts);
    is_in_order_ = false;
    return;
  }
  if (begin_ == held_.size() || !closes_before(trade, held_.back()))
    held_.push_back(trade);
  else
    held_.insert(std::upper_bound(held_.begin() + static_cast<std::ptrdiff_t>(begin_), held_.end(),
                                  trade, closes_before),
                 trade);
  if (held_.size() - begin_ > capacity_)
    drop_oldest();
}

void trade_sample::drop_oldest() {
  latest_dropped_ = held_[begin_++];
  dropped_.add(*latest_dropped_);
  dropped_time_.add(latest_dropped_->open_ts, latest_dropped_->close_ts);
  if (begin_ > capacity_ / 4) { // few moves for each trade, little room for those that are gone
    held_.erase(held_.begin(), held_.begin() + static_cast<std::ptrdiff_t>(begin_));
    begin_ = 0;
  }
}

void trade_sample::clear() noexcept {
  held_.clear();
  begin_ = 0;
  dropped_ = {};
  dropped_time_ = {};
  latest_dropped_.reset();
  total_ = 0;
  excluded_ = 0;
  is_in_order_ = true;
}

open_time trade_sample::time_open() const {
  open_time time = dropped_time_;
  for (const trade_record& trade : records())
    time.add(trade.open_ts, trade.close_ts);
  return time;
}

} // namespace backtest
