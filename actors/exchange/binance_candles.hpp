#pragma once

#include "actors/exchange/exchange_schema.hpp"
#include "actors/http/http_answer.hpp"

#include <functional>
#include <string>

namespace backtest {

/// Public klines of Binance's REST interface, or one like it, as a candle source: closed candles
/// only, as many requests as the range needs. Throws what `get` and binance_klines.hpp throw.
/// After the server asked to wait it is not bothered before that time. Copies share `get`, which
/// is called by one thread at a time. `now` is the time by which a candle is closed or not.
candle_function binance_candles(std::string base_url, http_get get, std::function<instant()> now);

} // namespace backtest
