#include "tools/trade_writer.hpp"

#include "messages/json.hpp"

#include <iterator>

#include <fmt/format.h>

namespace backtest::tools {

namespace {

/// Quoted only where CSV needs it.
std::string field(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos)
    return std::string{text};
  std::string quoted{'"'};
  for (const char c : text)
    quoted.append(c == '"' ? 2 : 1, c);
  return quoted + '"';
}

std::string number_or_empty(std::optional<double> value) {
  return value ? number_text(*value) : std::string{};
}

} // namespace

trade_writer::trade_writer(const std::string& destination) : out_(destination) {
  out_.write("strategy,symbol,id,position,opened_at,closed_at,price_open,price_close,"
             "price_take_profit,price_stop_loss,close_reason,pnl_percentage,peak_pnl,fall_pnl\n");
}

void trade_writer::hear(const event& item) {
  const auto* tick = std::get_if<tick_result>(&item.payload);
  if (tick == nullptr || tick->action != tick_action::closed)
    return;
  const signal_row& signal = *tick->signal;
  fmt::format_to(std::back_inserter(out_.buffer()), "{},{},{},{},{},{},{},{},{},{},{},{},{},{}\n",
                 field(signal.strategy_name), field(signal.symbol), field(signal.id),
                 to_string(signal.position), to_iso(signal.pending_at.value_or(0)),
                 to_iso(tick->close_timestamp.value_or(tick->timestamp)),
                 number_text(tick->pnl->price_open), number_text(tick->pnl->price_close),
                 number_text(signal.price_take_profit), number_text(signal.price_stop_loss),
                 to_string(tick->closed_by.value_or(close_reason::user)),
                 number_text(tick->pnl->pnl_percentage), number_or_empty(tick->peak_pnl),
                 number_or_empty(tick->fall_pnl));
  out_.drain();
}

} // namespace backtest::tools
