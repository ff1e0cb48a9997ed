#pragma once

#include "actors/strategy/profit.hpp"
#include "actors/strategy/trading_rules.hpp"
#include "messages/candle.hpp"
#include "messages/event.hpp"

#include <optional>
#include <span>

namespace backtest {

enum class signal_state : std::uint8_t { idle, scheduled, pending };

/// What a scheduled signal meets at one instant.
enum class scheduled_step : std::uint8_t { waiting, entry_reached, price_reject, timeout, stopped };

/// What a pending signal meets at one instant.
enum class pending_step : std::uint8_t { active, take_profit, stop_loss, time_expired };

/// What a machine must remember across a restart, so that it goes on as if nothing had happened.
struct machine_memory {
  signal_state state = signal_state::idle;
  shared_signal signal;             ///< null when idle
  double highest = 0, lowest = 0;   ///< average prices while pending
  double last_price = 0;            ///< the last average price seen
  std::optional<instant> used_slot; ///< start of the generation slot used last

  bool operator==(const machine_memory& other) const;
};

/// How a position ended.
struct position_result {
  double price_close = 0;
  double pnl_percentage = 0;
  double peak_pnl = 0;
  double fall_pnl = 0;
};

/// The state of one strategy on one symbol: idle, scheduled or pending, the stop flag and the last
/// generation slot. Live and backtest drive this same class. It decides nothing about risk: the
/// owner asks, then calls `activate`, `open` or `end`.
class signal_machine {
public:
  signal_machine(const trading_rules& rules, interval slot) noexcept
      : rules_(rules), slot_length_(length_of(slot)) {}

  signal_state state() const noexcept { return state_; }
  const shared_signal& signal() const noexcept { return signal_; }
  bool stopped() const noexcept { return stopped_; }
  /// No new signals from the next instant on; a scheduled one is cancelled there.
  void stop() noexcept { stopped_ = true; }

  /// False once `get_signal` was called in the slot `when` lies in.
  bool slot_free(instant when) const noexcept {
    return when < used_from_ || when >= used_until_;
  }
  void use_slot(instant when) noexcept {
    used_from_ = when == used_until_ ? when : align_down(when, slot_length_);
    used_until_ = used_from_ + slot_length_;
  }
  /// The slot just used is free again: nobody could be asked.
  void free_slot() noexcept {
    used_from_ = end_of_time;
    used_until_ = INT64_MIN;
  }
  /// First instant after the slot that was used last.
  instant next_slot() const noexcept { return used_until_; }

  /// Conditions of a scheduled signal in their order. `price`: null when the instant has none.
  /// `closed`: the candle that closed at `when`, null when missing (read by `touch` only).
  scheduled_step examine_scheduled(instant when, const double* price,
                                   const candle* closed) noexcept;

  /// Conditions of a pending signal in their order; remembers the price. Inlined: this is the loop
  /// every open position runs through, once a minute.
  pending_step examine_pending(instant when, const double* price, const candle* closed) noexcept {
    pending_step step = pending_step::active;
    if (rules_.exit_fill == fill_model::vwap) {
      if (price != nullptr)
        step = price_exit(*price, *price);
    } else if (closed != nullptr) {
      step = touch_exit(*closed);
    }
    if (price != nullptr)
      last_price_ = *price;
    if (step == pending_step::active && when >= expires_at_)
      step = pending_step::time_expired;
    if (step == pending_step::active && price != nullptr) {
      highest_ = std::max(highest_, *price);
      lowest_ = std::min(lowest_, *price);
    }
    return step;
  }

  /// `examine_pending` of minutes in a row at once, by their average prices, up to the first that
  /// is not `active`; how many were. Only where average prices close positions, and only for
  /// minutes before `expires_at()`.
  std::size_t pass_active(std::span<const double> prices) noexcept;
  /// When the signal that is scheduled or pending runs out of time.
  instant expires_at() const noexcept { return expires_at_; }

  /// idle -> scheduled; `price` is the average price at that instant.
  void schedule(shared_signal signal, double price);
  /// idle -> pending, or scheduled -> pending; `signal->pending_at` is set. `price` is the average
  /// price at that instant, null when there is none.
  void open(shared_signal signal, const double* price);
  machine_memory memory() const;
  /// Of a fresh machine with the same rules.
  void restore(const machine_memory& memory);
  /// scheduled or pending -> idle.
  void end() noexcept;

  /// Result of the pending signal if it closes with `step` now (take profit and stop loss at
  /// exactly their prices, time expiry at the last price seen).
  position_result result_of(pending_step step) const noexcept;
  /// Result when the position is closed at `price_close`.
  position_result result_at(double price_close) const noexcept;

  /// Progress of the pending signal at `price` towards its target or its stop, 0..100.
  double progress_to_target(double price) const noexcept;
  double progress_to_stop(double price) const noexcept;

  const trading_rules& rules() const noexcept { return rules_; }
  double last_price() const noexcept { return last_price_; }

private:
  void take(shared_signal signal);

  pending_step price_exit(double best, double worst) const noexcept {
    if (is_long_) {
      if (best >= target_)
        return pending_step::take_profit;
      return worst <= stop_ ? pending_step::stop_loss : pending_step::active;
    }
    if (best <= target_)
      return pending_step::take_profit;
    return worst >= stop_ ? pending_step::stop_loss : pending_step::active;
  }

  pending_step touch_exit(const candle& closed) const noexcept {
    // Both in one candle: nobody knows which came first, so the worse one did.
    if (is_long_ ? closed.low <= stop_ : closed.high >= stop_)
      return pending_step::stop_loss;
    return (is_long_ ? closed.high >= target_ : closed.low <= target_) ? pending_step::take_profit
                                                                      : pending_step::active;
  }

  double net(double price_close) const noexcept;

  trading_rules rules_;
  instant slot_length_;
  instant used_from_ = end_of_time, used_until_ = INT64_MIN; ///< the last slot used; none: empty
  signal_state state_ = signal_state::idle;
  bool stopped_ = false;
  bool is_long_ = true;
  // The live signal's numbers, side by side for the minute loop.
  double entry_ = 0, target_ = 0, stop_ = 0;
  double highest_ = 0, lowest_ = 0, last_price_ = 0;
  instant expires_at_ = 0;
  shared_signal signal_;
};

} // namespace backtest
