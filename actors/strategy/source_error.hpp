#pragma once

#include "messages/error.hpp"

namespace backtest {

/// What a signal source just threw, to be called while it is being handled: `data_gap`,
/// `fetch_failed` and `bad_candles` of the market stay what they are, all else is the source's own
/// failure.
error error_of_source();

} // namespace backtest
