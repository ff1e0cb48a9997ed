#pragma once

#include "messages/event.hpp"
#include "runtime/column.hpp"
#include "tests/runtime/sample_trades.hpp"
#include "tests/support/contains.hpp"
#include "tests/support/scratch_directory.hpp"

#include <string>
#include <typeinfo>
#include <vector>

namespace backtest::testing {

inline shared_identity identity(std::string symbol = "BTCUSDT", std::string strategy = "cross",
                                run_mode mode = run_mode::backtest) {
  return std::make_shared<run_identity>(run_identity{std::move(symbol), std::move(strategy), "csv",
                                                     mode == run_mode::backtest ? "q1" : "", mode});
}

inline shared_identity live_identity(std::string symbol = "BTCUSDT",
                                     std::string strategy = "cross") {
  return identity(std::move(symbol), std::move(strategy), run_mode::live);
}

/// Not opened yet.
inline signal_row signal_of(const run_identity& run, std::string id, instant scheduled_at,
                            std::string note = "") {
  signal_row signal;
  signal.id = std::move(id);
  signal.symbol = run.symbol;
  signal.strategy_name = run.strategy_name;
  signal.exchange_name = run.exchange_name;
  signal.note = std::move(note);
  signal.price_open = 42000.5;
  signal.price_take_profit = 43000;
  signal.price_stop_loss = 41000;
  signal.scheduled_at = scheduled_at;
  return signal;
}

inline tick_result tick_of(const shared_identity& run, tick_action action, instant timestamp,
                           const signal_row& signal) {
  tick_result result;
  result.action = action;
  result.run = run;
  result.current_price = 42500;
  result.timestamp = timestamp;
  result.signal = std::make_shared<signal_row>(signal);
  return result;
}

inline tick_result idle_tick(const shared_identity& run, instant timestamp) {
  tick_result result = tick_of(run, tick_action::idle, timestamp, {});
  result.signal = nullptr;
  return result;
}

inline tick_result opened_tick(const shared_identity& run, instant timestamp, signal_row signal) {
  signal.pending_at = timestamp;
  tick_result result = tick_of(run, tick_action::opened, timestamp, signal);
  result.current_price = signal.price_open;
  return result;
}

inline tick_result cancelled_tick(const shared_identity& run, instant timestamp,
                                  const signal_row& signal,
                                  cancel_reason reason = cancel_reason::timeout) {
  tick_result result = tick_of(run, tick_action::cancelled, timestamp, signal);
  result.close_timestamp = timestamp;
  result.cancelled_by = reason;
  return result;
}

/// Odd ones are short; the result is named after `seq`.
inline tick_result closed_trade(const shared_identity& run, const trade_record& trade,
                                std::string note = "") {
  signal_row signal =
      signal_of(*run, "id" + std::to_string(trade.seq), trade.open_ts, std::move(note));
  signal.position = trade.seq % 2 ? position_side::short_side : position_side::long_side;
  signal.pending_at = trade.open_ts;
  tick_result result = tick_of(run, tick_action::closed, trade.close_ts, signal);
  result.close_timestamp = trade.close_ts;
  result.closed_by = trade.pnl > 0 ? close_reason::take_profit : close_reason::stop_loss;
  result.pnl = profit_and_loss{trade.pnl, 42000.5, 42500};
  result.peak_pnl = trade.peak;
  result.fall_pnl = trade.fall;
  return result;
}

template <class Row>
std::vector<std::string> keys_of(const column_list<Row>& columns) {
  std::vector<std::string> keys;
  for (const auto& c : columns)
    keys.push_back(c.key);
  return keys;
}

/// No byte in it that a file system or a shell could take amiss.
inline bool is_plain_name(std::string_view name) {
  return name.find_first_not_of(
             "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") ==
         std::string_view::npos;
}

/// Dumps the report into a directory of its own: right path below it, and the file holds the
/// markdown.
template <class Report, class... Columns>
bool is_written_as(const Report& report, const std::string& name, const Columns&... columns) {
  const scratch_directory scratch(typeid(Report).name());
  const auto path = report.dump(scratch.path, columns...);
  return path == scratch.path / name && content_of(path) == report.markdown(columns...);
}

} // namespace backtest::testing
