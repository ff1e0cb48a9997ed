#pragma once

#include "actors/exchange/candle_files.hpp"
#include "messages/candle.hpp"
#include "messages/configuration.hpp"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace backtest {

/// Reads one-minute candles from CSV files: plain, gzip, or a zip archive with one CSV file, told
/// apart by content.
///
/// Layout: a header that names the columns open_time, open, high, low, close, volume, in any order;
/// or no header and Binance kline columns (these six first, in this order). Every row has as many
/// fields as the first line. No quotes, no spaces. Lines end with LF or CRLF; a UTF-8 BOM, blank
/// lines at the end and a last line without a line end are accepted.
///
/// open_time is an integer whose size tells its unit, for times from 1973-03-03 to 5138-11-16:
/// 1e8 <= t < 1e11 seconds, 1e11 <= t < 1e14 milliseconds, 1e14 <= t < 1e17 microseconds; anything
/// else is refused. Rows are strictly increasing, each on a whole minute; every UTC day passes
/// `check_candles`.
///
/// What a row says of its candle must hold; other columns are ignored:
/// - a close time (column close_time; without a header the seventh of twelve or more, or one that
/// is
///   a time) lies in the candle's minute or at its end, and in most rows at its end: an exchange
///   that pauses closes a candle early. Without one, candles that lie as far apart as larger ones
///   are refused (candle_spacing.hpp), also those of a single UTC day;
/// - column symbol is `symbol`, but for case and characters that are no letters or digits; where
///   `symbol` is empty, the same in all rows;
/// - column interval is 1m or 1min;
/// - columns is_closed, closed, is_final, is_complete, complete and confirm are true or 1.
///
/// Throws `failure`: `bad_candles` naming file, physical line (from 1, header included), value and
/// what was expected, also for a file without candles; `io_failed` when the file cannot be opened,
/// read or unpacked. No row is ever skipped.
candle_series read_candle_csv(const std::filesystem::path& path, std::string symbol,
                              const configuration& limits);

/// The same from several files of one symbol, in whichever order they are given: each is read by
/// itself, with or without a header, and they are joined in the order of their candles. Paths may
/// be patterns (candle_files.hpp). Throws `bad_candles` naming two files and their times when one
/// has candles before the end of the other.
candle_series read_candle_csv(const candle_paths& paths, std::string symbol,
                              const configuration& limits);

/// The same for text in memory; `file_name` is what errors name.
candle_series parse_candle_csv(std::string_view text, std::string_view file_name,
                               std::string symbol, const configuration& limits);

/// Reads as `read_candle_csv`, but keeps the candles of days that fail `check_candles`, or lie as
/// far apart as larger ones, and appends one text per such day (its first bad candle) to `faults`.
/// Malformed and unordered rows, and whatever else speaks against a whole file, throw.
candle_series scan_candle_csv(const candle_paths& paths, std::string symbol,
                              const configuration& limits, std::vector<std::string>& faults);

} // namespace backtest
