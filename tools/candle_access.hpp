#pragma once

#include "actors/exchange/exchange_schema.hpp"
#include "messages/configuration.hpp"

#include <filesystem>
#include <optional>
#include <string>

namespace backtest::tools {

/// Throws `failure{invalid_argument}` when the exchange has no first or last candle and a bound is
/// absent.
void require_bounds(const exchange_schema& exchange, std::optional<instant> since,
                    std::optional<instant> until);

/// One-minute candles of a configured exchange with since <= open_time < until; absent bounds:
/// everything there is. What an exchange keeps is read from `data_directory` and what is fetched
/// kept there, unless it is empty; a directory that cannot be used is told on stderr. Throws what
/// `require_bounds` and the source throw.
candle_series candles_of(const exchange_schema& exchange, const std::string& symbol,
                         std::optional<instant> since, std::optional<instant> until,
                         const configuration& limits,
                         const std::filesystem::path& data_directory = {});

} // namespace backtest::tools
