#include "runtime/trade_history.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace backtest {

void running_deviation::add(double value) noexcept {
  ++count;
  const double distance = value - mean;
  mean += distance / static_cast<double>(count);
  squares += distance * (value - mean);
}

void running_deviation::merge(const running_deviation& other) noexcept {
  if (other.count == 0)
    return;
  if (count == 0) {
    *this = other;
    return;
  }
  const auto mine = static_cast<double>(count), theirs = static_cast<double>(other.count);
  const double distance = other.mean - mean;
  squares += other.squares + distance * distance * (mine * theirs / (mine + theirs));
  mean += distance * (theirs / (mine + theirs));
  count += other.count;
}

double running_deviation::sample_deviation() const noexcept {
  if (count < 2)
    return std::numeric_limits<double>::quiet_NaN();
  return std::sqrt(squares / static_cast<double>(count - 1));
}

running_deviation deviation_of(std::span<const double> values) noexcept {
  running_deviation deviation;
  if (values.empty())
    return deviation;
  deviation.count = std::ssize(values);
  deviation.mean = mean_of(values);
  for (const double value : values)
    deviation.squares += (value - deviation.mean) * (value - deviation.mean);
  return deviation;
}

void running_extreme::add(const std::optional<double>& value, double direction) noexcept {
  if (!value || !std::isfinite(*value))
    return;
  carried.add(*value);
  furthest = std::max(furthest, *value * direction);
}

void running_extreme::merge(const running_extreme& other) noexcept {
  carried.merge(other.carried);
  furthest = std::max(furthest, other.furthest);
}

void trade_totals::add(const trade_record& trade) noexcept {
  const double minutes =
      static_cast<double>(trade.close_ts - trade.open_ts) / static_cast<double>(minute_ms);
  all.add(trade.pnl);
  duration.add(minutes);
  if (trade.pnl > 0) {
    wins.add(trade.pnl);
    win_duration.add(minutes);
  } else if (trade.pnl < 0) {
    losses.add(trade.pnl);
    loss_duration.add(minutes);
    loss_squares += trade.pnl * trade.pnl;
  }
  peak.add(trade.peak, 1);
  fall.add(trade.fall, -1);
  first_open = std::min(first_open, trade.open_ts);
  last_close = std::max(last_close, trade.close_ts);
}

void trade_totals::merge(const trade_totals& other) noexcept {
  all.merge(other.all);
  wins.merge(other.wins);
  losses.merge(other.losses);
  duration.merge(other.duration);
  win_duration.merge(other.win_duration);
  loss_duration.merge(other.loss_duration);
  loss_squares += other.loss_squares;
  peak.merge(other.peak);
  fall.merge(other.fall);
  first_open = std::min(first_open, other.first_open);
  last_close = std::max(last_close, other.last_close);
}

void trade_streaks::finish() noexcept {
  if (length_ == 0)
    return;
  longest_ = std::max(longest_, length_);
  pnl_of_runs_.add(pnl_);
  length_ = 0;
  pnl_ = 0;
}

void trade_streaks::merge(const trade_streaks& other) noexcept {
  longest_ = std::max(longest_, other.longest_);
  pnl_of_runs_.merge(other.pnl_of_runs_);
}

void win_loss_streaks::add(const trade_record& trade) noexcept {
  if (!(trade.pnl > 0))
    wins.finish();
  if (!(trade.pnl < 0))
    losses.finish();
  if (trade.pnl > 0)
    wins.extend(trade.pnl);
  else if (trade.pnl < 0)
    losses.extend(trade.pnl);
}

void win_loss_streaks::finish() noexcept {
  wins.finish();
  losses.finish();
}

void win_loss_streaks::merge(const win_loss_streaks& other) noexcept {
  wins.merge(other.wins);
  losses.merge(other.losses);
}

void equity_curve::add(const trade_record& trade) noexcept {
  if (is_over_)
    return;
  if (trade.fall && *trade.fall < 0 && !visit(growth_ * (1 + *trade.fall / 100)))
    return;
  growth_ *= 1 + trade.pnl / 100;
  if (!std::isfinite(growth_)) {
    max_drawdown_ = std::numeric_limits<double>::quiet_NaN();
    is_over_ = true;
  } else if (visit(growth_)) {
    peak_ = std::max(peak_, growth_);
  }
}

/// False when nothing is left.
bool equity_curve::visit(double equity) noexcept {
  if (equity > 0) {
    max_drawdown_ = std::max(max_drawdown_, 100 * (peak_ - equity) / peak_);
    return true;
  }
  max_drawdown_ = 100;
  growth_ = 0;
  is_blown_ = is_over_ = true;
  return false;
}

void equity_curve::multiply(const equity_curve& other) noexcept {
  is_blown_ = is_blown_ || other.is_blown_;
  is_over_ = true;
  growth_ = is_blown_ ? 0 : growth_ * other.growth_;
  max_drawdown_ = is_blown_ ? 100 : std::numeric_limits<double>::quiet_NaN();
}

void trade_history::add(const trade_record& trade) noexcept {
  totals.add(trade);
  deviation.add(trade.pnl);
  streaks.add(trade);
  equity.add(trade);
}

void open_time::add(instant from, instant until) {
  if (from < summed_until_) {
    is_known_ = false;
    from = summed_until_;
  }
  if (from >= until)
    return;
  const auto first =
      std::lower_bound(stretches_.begin(), stretches_.end(), from,
                       [](const stretch& item, instant when) { return item.until < when; });
  auto last = first;
  for (; last != stretches_.end() && last->from <= until; ++last) {
    from = std::min(from, last->from);
    until = std::max(until, last->until);
  }
  if (first == last) {
    stretches_.insert(first, {from, until});
    if (stretches_.size() > 2 * least_stretches)
      sum_up_oldest();
  } else {
    *first = {from, until};
    stretches_.erase(first + 1, last);
  }
}

void open_time::sum_up_oldest() {
  const auto kept = stretches_.end() - static_cast<std::ptrdiff_t>(least_stretches);
  if (summed_until_ == 0)
    summed_from_ = stretches_.front().from;
  for (auto item = stretches_.begin(); item != kept; ++item)
    summed_ += item->until - item->from;
  summed_until_ = (kept - 1)->until;
  stretches_.erase(stretches_.begin(), kept);
}

void open_time::merge(const open_time& other) {
  is_known_ = is_known_ && other.is_known_ && summed_until_ == 0 && other.summed_until_ == 0;
  for (const stretch& item : other.stretches_)
    add(item.from, item.until);
}

std::optional<instant> open_time::within(instant start, instant end) const noexcept {
  const bool cuts_sum = summed_until_ > 0 && (start > summed_from_ || end < summed_until_);
  if (!is_known_ || cuts_sum)
    return std::nullopt;
  instant total = summed_;
  for (const stretch& item : stretches_)
    total += std::max<instant>(0, std::min(item.until, end) - std::max(item.from, start));
  return total;
}

} // namespace backtest
