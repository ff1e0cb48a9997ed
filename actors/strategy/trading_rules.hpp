#pragma once

#include "actors/exchange/exchange_schema.hpp"
#include "messages/configuration.hpp"

namespace backtest {

/// The configuration a run captured, with the exchange's own costs and fill models applied.
struct trading_rules {
  configuration parameters;
  fill_model entry_fill = fill_model::vwap;
  fill_model exit_fill = fill_model::vwap;
};

inline trading_rules rules_for(const exchange_schema& exchange, configuration parameters) {
  parameters.percent_fee = exchange.percent_fee.value_or(parameters.percent_fee);
  parameters.percent_slippage = exchange.percent_slippage.value_or(parameters.percent_slippage);
  return {parameters, exchange.entry_fill, exchange.exit_fill};
}

} // namespace backtest
