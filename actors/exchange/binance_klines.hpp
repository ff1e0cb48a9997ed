#pragma once

#include "actors/exchange/exchange_schema.hpp"
#include "actors/http/http_answer.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace backtest {

/// The server answers no more at once.
inline constexpr int most_klines = 1000;

/// Path and query of the public klines of Binance's REST interface, at most `limit` of them: open
/// times from query.since to before query.until.
std::string klines_path(const candle_query& query, int limit = most_klines);

/// Throws unless the status is a success; every message names `url` and quotes the server's own.
/// `postponed_failure` when it may be asked again (418, 429, 5xx) and says when; `failure` when it
/// does not say; `permanent_failure` for every other status: `not_found` for a symbol the exchange
/// does not have, else `fetch_failed`. `now` is what a date in Retry-After is compared with.
void require_klines(const http_answer& answer, std::string_view symbol, std::string_view url,
                    instant now);

/// Reads an array of rows [open time, "open", "high", "low", "close", "volume", close time, ...],
/// whatever stands behind; rows may end with the volume. Throws `failure{bad_candles}` naming
/// `url`, row (from 0), value and what was expected, also when open times do not increase, or a
/// close time is not that of a candle of `size` (an exchange that pauses closes one early, but
/// never late).
std::vector<candle> parse_klines(std::string_view body, std::string_view url, interval size);

} // namespace backtest
