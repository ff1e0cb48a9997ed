#pragma once

#include "messages/time.hpp"

#include <memory>
#include <optional>
#include <string>

namespace backtest {

enum class position_side : std::uint8_t { long_side, short_side };
enum class run_mode : std::uint8_t { backtest, live };

/// "long" / "short"; "backtest" / "live".
std::string_view to_string(position_side side) noexcept;
std::string_view to_string(run_mode mode) noexcept;
std::optional<position_side> parse_position_side(std::string_view text) noexcept;
std::optional<run_mode> parse_run_mode(std::string_view text) noexcept;

/// What a signal source asks for. Prices in quote units, lifetime in minutes.
struct signal_request {
  position_side position = position_side::long_side;
  std::optional<std::string> id;              ///< made by the engine when absent
  std::optional<double> price_open;           ///< absent: open now at the average price
  double price_take_profit = 0;
  double price_stop_loss = 0;
  std::optional<std::int64_t> minute_estimated_time; ///< default max_signal_lifetime_minutes
  std::string note;                           ///< kept as plain text
  std::optional<double> quantity;             ///< carried by every event of the signal, never used

  friend bool operator==(const signal_request&, const signal_request&) = default;
};

/// A signal the engine accepted; what events, reports and the store carry.
struct signal_row {
  std::string id;
  std::string symbol;
  std::string strategy_name;
  std::string exchange_name;
  position_side position = position_side::long_side;
  std::string note;
  double price_open = 0;
  double price_take_profit = 0;
  double price_stop_loss = 0;
  std::int64_t minute_estimated_time = 0;
  instant scheduled_at = 0;
  std::optional<instant> pending_at; ///< absent until the position opened
  bool is_scheduled = false;         ///< stays true after a schedule was activated
  std::optional<double> quantity;

  friend bool operator==(const signal_row&, const signal_row&) = default;
};

using shared_signal = std::shared_ptr<const signal_row>;

/// Names of one run: a strategy on a symbol in a mode. Shared by everything the run emits.
struct run_identity {
  std::string symbol;
  std::string strategy_name;
  std::string exchange_name;
  std::string frame_name; ///< "" in live
  run_mode mode = run_mode::backtest;

  friend bool operator==(const run_identity&, const run_identity&) = default;
};

using shared_identity = std::shared_ptr<const run_identity>;

} // namespace backtest
