#pragma once

#include "messages/event.hpp"
#include "messages/run_context.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace backtest {

/// Asked once per slot of the strategy's interval while no signal lives. Nothing: no signal.
using signal_function = std::function<std::optional<signal_request>(const run_context&)>;

/// Called in the strategy client, in the order things happen; what they throw becomes an error
/// event. Prices in quote units, percents 0..100.
struct strategy_callbacks {
  std::function<void(const tick_result&)> on_tick;
  std::function<void(const tick_result&)> on_open;
  std::function<void(const tick_result&)> on_active;
  std::function<void(const tick_result&)> on_idle;
  std::function<void(const tick_result&)> on_close;
  std::function<void(const tick_result&)> on_schedule;
  std::function<void(const tick_result&)> on_cancel;
  std::function<void(const run_identity&, const signal_row*)> on_write; ///< null once it closed
  /// Once per level of a signal, as the topics of these names: 10, 20, ... 100 % of the way to take
  /// profit, or to stop loss. Where a position stands at every instant: `on_active`.
  std::function<void(const partial_event&)> on_partial_profit;
  std::function<void(const partial_event&)> on_partial_loss;
};

struct strategy_schema {
  std::string strategy_name;
  std::string note;
  interval size = interval::m1; ///< generation slots; 1m to 1h
  signal_function get_signal;
  /// The function may block: it gets a thread of its own and is abandoned at its deadline, and when
  /// its run or the runtime ends. It may then still run, also after the runtime is gone, so it owns
  /// what it uses: captures by value or by `std::shared_ptr`.
  bool blocking = false;
  std::string risk_name;              ///< "" for none
  std::vector<std::string> risk_list; ///< asked after risk_name, in order
  strategy_callbacks callbacks;
};

/// The profiles a strategy answers to, in the order they are asked.
inline std::vector<std::string> profiles_of(const strategy_schema& strategy) {
  std::vector<std::string> names;
  if (!strategy.risk_name.empty())
    names.push_back(strategy.risk_name);
  names.insert(names.end(), strategy.risk_list.begin(), strategy.risk_list.end());
  return names;
}

} // namespace backtest
