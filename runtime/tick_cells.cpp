#include "runtime/tick_cells.hpp"

#include "messages/plain_text.hpp"
#include "runtime/number_text.hpp"

namespace backtest::tick_cells {

namespace {

std::string text_or_na(std::string_view text) {
  return std::string(text.empty() ? not_available : text);
}

/// A member of the row's signal, absent when there is no signal.
template <class T>
std::optional<T> of_signal(const tick_result& row, T signal_row::*member) {
  return row.signal ? std::optional<T>(row.signal.get()->*member) : std::nullopt;
}

std::optional<instant> opened_at(const tick_result& row) {
  return row.signal ? row.signal->pending_at : std::nullopt;
}

} // namespace

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
  if (!row.signal)
    return std::string(not_available);
  return row.signal->position == position_side::long_side ? "LONG" : "SHORT";
}

std::string note(const tick_result& row, std::size_t) {
  return text_or_na(row.signal ? plain_text(row.signal->note) : "");
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

std::string reason(const tick_result& row, std::size_t) {
  return text_or_na(row.closed_by      ? to_string(*row.closed_by)
                    : row.cancelled_by ? to_string(*row.cancelled_by)
                                       : "");
}

std::string duration(const tick_result& row, std::size_t) {
  return minutes_text(opened_at(row), row.close_timestamp);
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
