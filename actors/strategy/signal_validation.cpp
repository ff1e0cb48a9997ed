#include "actors/strategy/signal_validation.hpp"

#include <cmath>

#include <fmt/format.h>

namespace backtest {

namespace {

bool is_price(double value) noexcept { return std::isfinite(value) && value > 0; }

class violation_list {
public:
  template <class... Args>
  void add(fmt::format_string<Args...> text, Args&&... args) {
    list_.push_back(fmt::format(text, std::forward<Args>(args)...));
  }

  void require_name(std::string_view field, const std::string& value) {
    if (value.empty())
      add("{} must not be empty", field);
  }

  void require_price(std::string_view field, double value) {
    if (!is_price(value))
      add("{} must be positive and finite, got {}", field, value);
  }

  std::vector<std::string> take() { return std::move(list_); }

private:
  std::vector<std::string> list_;
};

void check_order(violation_list& list, const signal_row& s) {
  const bool is_long = s.position == position_side::long_side;
  if (is_long ? !(s.price_take_profit > s.price_open) : !(s.price_take_profit < s.price_open))
    list.add("{}: price_take_profit {} must be {} price_open {}", to_string(s.position),
             s.price_take_profit, is_long ? '>' : '<', s.price_open);
  if (is_long ? !(s.price_stop_loss < s.price_open) : !(s.price_stop_loss > s.price_open))
    list.add("{}: price_stop_loss {} must be {} price_open {}", to_string(s.position),
             s.price_stop_loss, is_long ? '<' : '>', s.price_open);
}

void check_distances(violation_list& list, const signal_row& s, const configuration& p) {
  const double target = std::abs(s.price_take_profit - s.price_open) / s.price_open * 100;
  const double stop = std::abs(s.price_stop_loss - s.price_open) / s.price_open * 100;
  if (p.min_takeprofit_distance_percent > 0 && target < p.min_takeprofit_distance_percent)
    list.add("price_take_profit {} is {:.4f} % from price_open {}, expected at least {} %",
             s.price_take_profit, target, s.price_open, p.min_takeprofit_distance_percent);
  if (p.min_stoploss_distance_percent > 0 && stop < p.min_stoploss_distance_percent)
    list.add("price_stop_loss {} is {:.4f} % from price_open {}, expected at least {} %",
             s.price_stop_loss, stop, s.price_open, p.min_stoploss_distance_percent);
  if (p.max_stoploss_distance_percent > 0 && stop > p.max_stoploss_distance_percent)
    list.add("price_stop_loss {} is {:.4f} % from price_open {}, expected at most {} %",
             s.price_stop_loss, stop, s.price_open, p.max_stoploss_distance_percent);
}

} // namespace

std::vector<std::string> violations_of(const signal_row& s, bool immediate, double current_price,
                                       const configuration& p) {
  violation_list list;
  list.require_name("id", s.id);
  list.require_name("symbol", s.symbol);
  list.require_name("strategy_name", s.strategy_name);
  list.require_name("exchange_name", s.exchange_name);
  if (s.position != position_side::long_side && s.position != position_side::short_side)
    list.add("position must be long or short, got {}", static_cast<int>(s.position));
  list.require_price("current price", current_price);
  list.require_price("price_open", s.price_open);
  list.require_price("price_take_profit", s.price_take_profit);
  list.require_price("price_stop_loss", s.price_stop_loss);
  if (is_price(s.price_open) && is_price(s.price_take_profit) && is_price(s.price_stop_loss)) {
    check_order(list, s);
    const double entry = immediate ? current_price : s.price_open;
    const double low = std::min(s.price_stop_loss, s.price_take_profit);
    const double high = std::max(s.price_stop_loss, s.price_take_profit);
    if (is_price(entry) && !(low < entry && entry < high))
      list.add("{} {} must lie strictly between price_stop_loss {} and price_take_profit {}",
               immediate ? "current price" : "price_open", entry, s.price_stop_loss,
               s.price_take_profit);
    check_distances(list, s, p);
  }
  if (s.minute_estimated_time <= 0)
    list.add("minute_estimated_time must be a positive integer, got {}", s.minute_estimated_time);
  else if (s.minute_estimated_time > p.max_signal_lifetime_minutes)
    list.add("minute_estimated_time {} exceeds max_signal_lifetime_minutes {}",
             s.minute_estimated_time, p.max_signal_lifetime_minutes);
  if (s.quantity && !is_price(*s.quantity))
    list.add("quantity must be positive and finite, got {}", *s.quantity);
  if (s.scheduled_at <= 0)
    list.add("scheduled_at must be positive, got {}", s.scheduled_at);
  if (s.pending_at && *s.pending_at <= 0)
    list.add("pending_at must be positive, got {}", *s.pending_at);
  return list.take();
}

std::string join_violations(const std::vector<std::string>& violations) {
  return fmt::format("{}", fmt::join(violations, "; "));
}

} // namespace backtest
