#pragma once

#include "storage/store.hpp"

#include <string>

namespace backtest {

/// The live runs that have rows in a store, "cross on BTCUSDT at binance, ...", for people: the
/// first ten and how many more. "" when there are none.
std::string stored_run_names(const store_reader& from);

} // namespace backtest
