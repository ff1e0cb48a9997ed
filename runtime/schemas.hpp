#pragma once

#include "actors/exchange/exchange_schema.hpp"
#include "actors/frame/frame_schema.hpp"
#include "actors/risk/risk_schema.hpp"
#include "actors/sizing/sizing_schema.hpp"
#include "actors/strategy/strategy_schema.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace backtest {

struct trade_statistics;
struct walker_complete;

/// Each may be empty. The walker waits for them; what they throw becomes an error event. They may
/// use the runtime, and must not wait for the walker.
struct walker_callbacks {
  std::function<void(const std::string& strategy, const std::string& symbol)> on_strategy_start;
  std::function<void(const std::string& strategy, const std::string& symbol,
                     const trade_statistics& statistics, std::optional<double> metric_value)>
      on_strategy_complete;
  std::function<void(const std::string& strategy, const std::string& symbol, const error& reason)>
      on_strategy_error;
  std::function<void(const walker_complete& outcome)> on_complete;
};

struct walker_schema {
  std::string walker_name;
  std::string note;
  std::string exchange_name;
  std::string frame_name;
  std::vector<std::string> strategies;
  std::string metric = "sharpe_ratio";
  walker_callbacks callbacks = {};
};

/// Everything a configuration file or a program registered.
struct schema_set {
  std::vector<exchange_schema> exchanges;
  std::vector<frame_schema> frames;
  std::vector<risk_schema> risks;
  std::vector<sizing_schema> sizings;
  std::vector<strategy_schema> strategies;
  std::vector<walker_schema> walkers;
};

} // namespace backtest
