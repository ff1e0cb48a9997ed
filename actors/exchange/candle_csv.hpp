#pragma once

#include "messages/candle.hpp"
#include "messages/configuration.hpp"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace backtest {

/// Reads one-minute candles from a CSV file: plain, gzip, or a zip archive with one file, told
/// apart by content.
///
/// Layout: a header that names the columns open_time, open, high, low, close, volume, in any order,
/// other columns ignored; or no header and Binance kline columns (these six first, in this order,
/// anything behind ignored). Every row has as many fields as the first line. No quotes, no spaces.
/// Lines end with LF or CRLF; a UTF-8 BOM, blank lines at the end and a last line without a line
/// end are accepted.
///
/// open_time is an integer whose size tells its unit, for times from 1973-03-03 to 5138-11-16:
/// 1e8 <= t < 1e11 seconds, 1e11 <= t < 1e14 milliseconds, 1e14 <= t < 1e17 microseconds; anything
/// else is refused. Rows are strictly increasing, each on a whole minute; every UTC day passes
/// `check_candles`.
///
/// Throws `failure`: `bad_candles` naming file, physical line (from 1, header included), value and
/// what was expected, also for a file without candles; `io_failed` when the file cannot be opened,
/// read or unpacked. No row is ever skipped.
candle_series read_candle_csv(const std::filesystem::path& path, std::string symbol,
                              const configuration& limits);

/// The same for text in memory; `file_name` is what errors name.
candle_series parse_candle_csv(std::string_view text, std::string_view file_name,
                               std::string symbol, const configuration& limits);

/// Reads as `read_candle_csv`, but keeps the candles of days that fail `check_candles` and appends
/// one text per such day (its first bad candle) to `faults`. Malformed and unordered rows throw.
candle_series scan_candle_csv(const std::filesystem::path& path, std::string symbol,
                              const configuration& limits, std::vector<std::string>& faults);

} // namespace backtest
