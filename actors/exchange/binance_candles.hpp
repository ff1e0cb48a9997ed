#pragma once

#include "actors/exchange/exchange_schema.hpp"
#include "actors/http/http_answer.hpp"

#include <functional>
#include <string>

namespace backtest {

/// Public klines of Binance's REST interface, or one like it, as a candle source: closed candles
/// only, as many requests as the range needs. Throws what `get` and binance_klines.hpp throw.
/// After the server asked to wait, nobody bothers it before that time. Copies share `get`; as many
/// threads may call it, and `now`, as call the source. `now` is the time by which a candle is
/// closed or not.
candle_function binance_candles(std::string base_url, http_get get, std::function<instant()> now);

} // namespace backtest
