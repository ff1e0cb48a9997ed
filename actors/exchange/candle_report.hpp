#pragma once

#include "actors/exchange/candle_files.hpp"
#include "messages/candle.hpp"
#include "messages/configuration.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace backtest {

/// Candles that are missing between two that are there: open times in [since, until).
struct candle_gap {
  instant since = 0;
  instant until = 0;
  std::int64_t minutes = 0;

  friend bool operator==(const candle_gap&, const candle_gap&) = default;
};

/// What `backtest candles check` tells about one symbol.
struct candle_report {
  std::string symbol;
  interval size = interval::m1;
  std::size_t candles = 0;
  std::optional<instant> first; ///< open time of the first candle, absent when there is none
  std::optional<instant> last;  ///< open time of the last one
  std::vector<candle_gap> gaps; ///< oldest first
  std::int64_t missing_minutes = 0;
  std::vector<std::string> faults; ///< the first bad candle of each UTC day that fails the checks

  bool is_sound() const noexcept { return faults.empty(); }
};

/// Examines candles in memory, faults included.
candle_report report_candles(const candle_series& series, const configuration& limits);

/// Examines the CSV files of a symbol. Candles that fail the checks, what ends the reading (a
/// malformed row, candles that are not of one minute, files that overlap: counts are then those of
/// an empty series) and a file without candles become faults that name file and line. Throws
/// `failure{io_failed}` when a file cannot be read.
candle_report report_candle_csv(const candle_paths& paths, const std::string& symbol,
                                const configuration& limits);
/// Examines one file, of whichever symbol; the report has the file's name instead.
candle_report report_candle_csv(const std::filesystem::path& path, const configuration& limits);

/// A few lines of text for people, each ending with LF.
std::string to_text(const candle_report& report);

} // namespace backtest
