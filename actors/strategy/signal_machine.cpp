#include "actors/strategy/signal_machine.hpp"

#include <algorithm>

namespace backtest {

scheduled_step signal_machine::examine_scheduled(instant when, const double* price,
                                                 const candle* closed) noexcept {
  // One reading of the market: the average price, or the worst price the candle touched.
  const double* seen = price;
  double touched = 0;
  if (rules_.entry_fill == fill_model::touch) {
    seen = nullptr;
    if (closed != nullptr) {
      touched = is_long_ ? closed->low : closed->high;
      seen = &touched;
    }
  }
  if (price != nullptr)
    last_price_ = *price;
  if (seen != nullptr) {
    if (is_long_ ? *seen <= stop_ : *seen >= stop_)
      return scheduled_step::price_reject;
    if (is_long_ ? *seen <= entry_ : *seen >= entry_)
      return scheduled_step::entry_reached;
  }
  if (when >= expires_at_)
    return scheduled_step::timeout;
  return stopped_ ? scheduled_step::stopped : scheduled_step::waiting;
}

std::size_t signal_machine::pass_active(std::span<const double> prices) noexcept {
  const double upper = is_long_ ? target_ : stop_;
  const double lower = is_long_ ? stop_ : target_;
  std::size_t passed = 0;
  // By eights: their extremes, which are wanted anyway, say whether any of them ends it.
  constexpr std::size_t width = 8;
  double highest = highest_, lowest = lowest_;
  for (; passed + width <= prices.size(); passed += width) {
    double high = prices[passed], low = high;
    for (std::size_t i = 1; i < width; ++i) {
      high = std::max(high, prices[passed + i]);
      low = std::min(low, prices[passed + i]);
    }
    if (high >= upper || low <= lower)
      break;
    highest = std::max(highest, high);
    lowest = std::min(lowest, low);
  }
  for (; passed < prices.size() && prices[passed] < upper && prices[passed] > lower; ++passed) {
    highest = std::max(highest, prices[passed]);
    lowest = std::min(lowest, prices[passed]);
  }
  if (passed == 0)
    return 0;
  highest_ = highest;
  lowest_ = lowest;
  last_price_ = prices[passed - 1];
  return passed;
}

void signal_machine::take(shared_signal signal) {
  is_long_ = signal->position == position_side::long_side;
  entry_ = signal->price_open;
  target_ = signal->price_take_profit;
  stop_ = signal->price_stop_loss;
  signal_ = std::move(signal);
}

void signal_machine::schedule(shared_signal signal, double price) {
  take(std::move(signal));
  state_ = signal_state::scheduled;
  expires_at_ = signal_->scheduled_at + rules_.parameters.schedule_await_minutes * minute_ms;
  last_price_ = price;
}

void signal_machine::open(shared_signal signal, const double* price) {
  take(std::move(signal));
  state_ = signal_state::pending;
  expires_at_ = *signal_->pending_at + signal_->minute_estimated_time * minute_ms;
  highest_ = lowest_ = entry_;
  if (price != nullptr)
    last_price_ = *price;
  else if (last_price_ == 0)
    last_price_ = entry_;
}

bool machine_memory::operator==(const machine_memory& o) const {
  const bool same_signal =
      signal == o.signal || (signal && o.signal && *signal == *o.signal);
  return same_signal && state == o.state && highest == o.highest && lowest == o.lowest &&
         last_price == o.last_price && used_slot == o.used_slot;
}

machine_memory signal_machine::memory() const {
  return {state_,  signal_,     highest_,
          lowest_, last_price_, used_until_ == INT64_MIN ? std::nullopt : std::optional{used_from_}};
}

void signal_machine::restore(const machine_memory& memory) {
  if (memory.used_slot)
    use_slot(*memory.used_slot);
  if (memory.state == signal_state::scheduled)
    schedule(memory.signal, memory.last_price);
  else if (memory.state == signal_state::pending)
    open(memory.signal, nullptr);
  highest_ = memory.highest;
  lowest_ = memory.lowest;
  last_price_ = memory.last_price;
}

void signal_machine::end() noexcept {
  state_ = signal_state::idle;
  signal_.reset();
}

double signal_machine::net(double price_close) const noexcept {
  return net_percent(is_long_ ? position_side::long_side : position_side::short_side, entry_,
                     price_close, rules_.parameters.percent_fee,
                     rules_.parameters.percent_slippage);
}

position_result signal_machine::result_of(pending_step step) const noexcept {
  switch (step) {
  case pending_step::take_profit: return result_at(target_);
  case pending_step::stop_loss: return result_at(stop_);
  default: return result_at(last_price_);
  }
}

position_result signal_machine::result_at(double price_close) const noexcept {
  // The net result is monotonic in the price, so the extremes of the prices give its extremes.
  const double at_high = net(std::max(highest_, price_close));
  const double at_low = net(std::min(lowest_, price_close));
  return {price_close, net(price_close), is_long_ ? at_high : at_low,
          is_long_ ? at_low : at_high};
}

double signal_machine::progress_to_target(double price) const noexcept {
  return std::min(progress_percent(entry_, target_, price), 100.0);
}

double signal_machine::progress_to_stop(double price) const noexcept {
  return std::min(progress_percent(entry_, stop_, price), 100.0);
}

} // namespace backtest
