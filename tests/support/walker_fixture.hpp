#pragma once

#include "messages/event_json.hpp"
#include "tests/support/runtime_fixture.hpp"

#include <fmt/format.h>

namespace backtest::testing {

inline walker_schema walker_of(std::vector<std::string> strategies,
                               std::string metric = "total_pnl", std::string name = "compare") {
  return {std::move(name), "",      "exchange", "frame", std::move(strategies),
          std::move(metric)};
}

/// Buys like `buy`, and is out at so many percent.
inline signal_function buy_for(double percent) {
  return [percent](const run_context& context) {
    auto request = *buy(context);
    request.price_take_profit = context.average_price() * (1 + percent / 100);
    return std::optional{request};
  };
}

/// The basics and their strategy `buyer`; `low`, which earns less; `middle` and `twin`, which earn
/// the same; `silent`, which does nothing.
inline void add_rivals(runtime& target, instant length = 2 * day_ms) {
  add_basics(target, buy, length);
  target.add_strategy(strategy_of("low", buy_for(0.6)));
  target.add_strategy(strategy_of("middle", buy_for(1.5)));
  target.add_strategy(strategy_of("twin", buy_for(1.5)));
  target.add_strategy(strategy_of("silent", never));
}

/// Its backtest fails at the first instant.
inline strategy_schema failing_strategy(const std::string& name = "broken") {
  return strategy_of(name, [](const run_context&) -> std::optional<signal_request> {
    throw failure(error_code::fetch_failed, "closed for ever");
  });
}

/// Names, best first.
inline std::vector<std::string> ranking_of(const walker_report_data& data) {
  std::vector<std::string> names;
  for (const auto& item : data.strategy_results)
    names.push_back(item.strategy_name + (item.partial ? " partial" : ""));
  return names;
}

/// Every event as a line, all of them with the same number.
inline std::string text_of(const std::vector<event>& events) {
  std::string text;
  for (const auto& item : events) {
    append_event_line(text, 1, item.on, item);
    text += '\n';
  }
  return text;
}

} // namespace backtest::testing
