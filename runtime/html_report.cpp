#include "runtime/html_report.hpp"

#include "runtime/trade_sample.hpp"

#include <algorithm>

namespace backtest {

namespace {

html_run_key key_of(const shared_identity& run) {
  return run ? html_run_key{run->symbol, run->strategy_name} : html_run_key{};
}

html_trade trade_of(const tick_result& closed, std::uint64_t seq) {
  html_trade trade;
  trade.record = record_of(closed, seq);
  trade.price_close = closed.current_price;
  trade.reason = closed.closed_by.value_or(close_reason::time_expired);
  if (closed.signal) {
    trade.position = closed.signal->position;
    trade.price_open = closed.signal->price_open;
    trade.price_take_profit = closed.signal->price_take_profit;
    trade.price_stop_loss = closed.signal->price_stop_loss;
    trade.note = closed.signal->note;
  }
  return trade;
}

void count(html_run& run, const tick_result& tick, std::uint64_t seq) {
  switch (tick.action) {
  case tick_action::scheduled: ++run.scheduled; break;
  case tick_action::opened:
    ++run.opened;
    run.open_since = tick.timestamp;
    break;
  case tick_action::cancelled: ++run.cancelled; break;
  case tick_action::closed:
    run.trades.push_back(trade_of(tick, seq));
    run.open_since.reset();
    break;
  default: break;
  }
}

} // namespace

void html_report::apply(const event& item) {
  if (item.on == topic::signal)
    return; // told on the topic of its mode, too
  const auto seq = static_cast<std::uint64_t>(event_count++);
  if (const auto when = instant_of(item)) {
    first_instant = std::min(first_instant.value_or(*when), *when);
    last_instant = std::max(last_instant.value_or(*when), *when);
  }
  const auto& names = identity_of(item);
  if (names)
    mode = names->mode;
  if (const auto* tick = std::get_if<tick_result>(&item.payload)) {
    count(runs[key_of(names)], *tick, seq);
  } else if (const auto* refused = std::get_if<risk_event>(&item.payload)) {
    ++runs[key_of(names)].rejected;
    rejections.push_back({key_of(names), refused->timestamp, refused->pending_signal.position,
                          refused->risk_name, refused->comment, refused->current_price,
                          refused->active_position_count});
  } else if (const auto* problem = std::get_if<error_event>(&item.payload)) {
    if (names && item.on == topic::error) // as every summary counts them
      ++runs[key_of(names)].errors;
    problems.push_back(
        {item.on, key_of(names), problem->code, problem->timestamp, problem->message});
  } else if (const auto* done = std::get_if<done_event>(&item.payload)) {
    if (item.on != topic::done_walker)
      runs[key_of(names)].outcome = done->outcome;
  }
}

} // namespace backtest
