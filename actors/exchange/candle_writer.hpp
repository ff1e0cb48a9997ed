#pragma once

#include "messages/candle.hpp"

#include <filesystem>
#include <string>

namespace backtest {

/// The series as CSV: header open_time,open,high,low,close,volume, times in ms, every number in the
/// shortest form that reads back equal, lines ending with LF. `read_candle_csv` reads it.
std::string to_csv(const candle_series& series);

/// Writes the same to a file, gzip-compressed when the name ends with ".gz". The file appears
/// complete or not at all (written beside it as "<name>.tmp", then renamed; an existing one is
/// replaced). Throws `failure{io_failed}` naming the file.
void write_candle_csv(const candle_series& series, const std::filesystem::path& path);

} // namespace backtest
