#include "runtime/tick_cells.hpp"

#include "runtime/cell_text.hpp"
#include "runtime/number_text.hpp"

namespace backtest::tick_cells {

namespace {

/// A member of the row's signal, absent when there is no signal.
template <class T>
std::optional<T> of_signal(const tick_result& row, T signal_row::*member) {
  return row.signal ? std::optional<T>(row.signal.get()->*member) : std::nullopt;
}

std::optional<instant> opened_at(const tick_result& row) {
  return row.signal ? row.signal->pending_at : std::nullopt;
}

std::optional<instant> scheduled_at(const tick_result& row) {
  return of_signal(row, &signal_row::scheduled_at);
}

bool is_alive(const tick_result& row) noexcept {
  return row.action == tick_action::active || row.action == tick_action::waiting;
}

std::string progress(const tick_result& row, double percent) {
  return percent_text(is_alive(row) ? std::optional(percent) : std::nullopt, 2);
}

} // namespace

std::string action(const tick_result& row, std::size_t) {
  return upper_text(to_string(row.action));
}

std::string event_time(const tick_result& row, std::size_t) {
  switch (row.action) {
  case tick_action::scheduled: return time_text(scheduled_at(row));
  case tick_action::opened: return time_text(opened_at(row));
  case tick_action::closed:
  case tick_action::cancelled: return time_text(row.close_timestamp);
  default: return time_text(row.timestamp);
  }
}

std::string signal_id(const tick_result& row, std::size_t) {
  return text_or_na(of_signal(row, &signal_row::id).value_or(""));
}

std::string symbol(const tick_result& row, std::size_t) {
  return text_or_na(row.signal ? row.signal->symbol : row.run ? row.run->symbol : "");
}

std::string strategy(const tick_result& row, std::size_t) {
  return text_or_na(row.signal ? row.signal->strategy_name : row.run ? row.run->strategy_name : "");
}

std::string position(const tick_result& row, std::size_t) {
  return row.signal ? position_text(row.signal->position) : std::string(not_available);
}

std::string note(const tick_result& row, std::size_t) {
  return note_text(row.signal ? row.signal->note : "");
}

std::string current_price(const tick_result& row, std::size_t) {
  return price_text(row.current_price);
}

std::string open_price(const tick_result& row, std::size_t) {
  return price_text(of_signal(row, &signal_row::price_open));
}

std::string take_profit(const tick_result& row, std::size_t) {
  return price_text(of_signal(row, &signal_row::price_take_profit));
}

std::string stop_loss(const tick_result& row, std::size_t) {
  return price_text(of_signal(row, &signal_row::price_stop_loss));
}

std::string pnl(const tick_result& row, std::size_t) {
  return row.pnl ? signed_percent_text(row.pnl->pnl_percentage, 2) : std::string(not_available);
}

std::string percent_tp(const tick_result& row, std::size_t) {
  return progress(row, row.percent_tp);
}

std::string percent_sl(const tick_result& row, std::size_t) {
  return progress(row, row.percent_sl);
}

std::string reason(const tick_result& row, std::size_t) {
  return text_or_na(row.closed_by      ? to_string(*row.closed_by)
                    : row.cancelled_by ? to_string(*row.cancelled_by)
                                       : "");
}

std::string duration(const tick_result& row, std::size_t) {
  const bool never_opened = row.action == tick_action::cancelled;
  return minutes_text(never_opened ? scheduled_at(row) : opened_at(row), row.close_timestamp);
}

std::string wait_time(const tick_result& row, std::size_t) {
  return minutes_text(scheduled_at(row),
                      row.action == tick_action::opened ? opened_at(row) : row.close_timestamp);
}

std::string open_time(const tick_result& row, std::size_t) { return time_text(opened_at(row)); }

std::string close_time(const tick_result& row, std::size_t) {
  return time_text(row.close_timestamp);
}

std::string peak_pnl(const tick_result& row, std::size_t) {
  return signed_percent_text(row.peak_pnl, 2);
}

std::string fall_pnl(const tick_result& row, std::size_t) {
  return signed_percent_text(row.fall_pnl, 2);
}

} // namespace backtest::tick_cells
