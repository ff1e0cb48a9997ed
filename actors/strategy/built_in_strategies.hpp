#pragma once

#include "actors/strategy/strategy_type.hpp"

namespace backtest {

struct sma_cross_parameters {
  std::int64_t window = 30; ///< candles asked for, at least slow + 1
  std::int64_t fast = 5;    ///< at least 1, below slow
  std::int64_t slow = 20;
  double take_profit = 0.015; ///< fraction of the price, between 0 and 1
  double stop_loss = 0.01;
  std::int64_t minutes = 240; ///< lifetime of a signal
};

struct pullback_limit_parameters {
  std::int64_t window = 12; ///< candles the change is measured over
  double threshold = 0.003; ///< least change, a fraction, at least 0
  double offset = 0.002;    ///< distance of the entry from the price, a fraction from 0 to below 1
  double take_profit = 0.012;
  double stop_loss = 0.008;
  std::int64_t minutes = 120;
};

struct time_grid_parameters {
  double take_profit = 0.008;
  double stop_loss = 0.008;
  std::int64_t minutes = 45;
};

/// The built-in signal sources, pure functions of the market; `size` is the candle interval. They
/// throw `json_failure` naming the parameter that is out of range.
signal_function make_sma_cross(const sma_cross_parameters& parameters, interval size);
signal_function make_pullback_limit(const pullback_limit_parameters& parameters, interval size);
signal_function make_time_grid(const time_grid_parameters& parameters);
signal_function make_marketable_limit();
signal_function make_never();

/// All of them as types a configuration file may name.
std::vector<strategy_type> built_in_strategy_types();

} // namespace backtest
