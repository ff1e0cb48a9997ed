#pragma once

#include "messages/event_json.hpp"
#include "messages/json.hpp"
#include "tests/actors/exchange/candle_fixtures.hpp"

#include <sstream>
#include <string>
#include <vector>

namespace backtest::testing {

/// Two synthetic symbols over two days: `cross` (sma_cross) and `grid` (time_grid) under a shared
/// cap of two positions. `extra` goes in front, e.g. `"config": {...}, `.
inline std::string small_configuration(const std::string& extra = "") {
  return "{" + extra + R"(
  "exchanges": [ { "name": "made_up", "type": "synthetic", "seed": 5, "start_price": 40000,
                   "volatility": 0.9, "symbols": ["AAAUSDT", "BBBUSDT"] } ],
  "frames": [ { "name": "days", "interval": "1m", "start": "2024-01-01T00:00:00Z",
                "end": "2024-01-02T23:59:00Z" } ],
  "risks": [ { "name": "cap", "rules": [ { "type": "max_positions", "limit": 2, "note": "two" } ] } ],
  "strategies": [ { "name": "grid", "type": "time_grid", "risk_name": "cap" },
                  { "name": "cross", "type": "sma_cross", "risk_name": "cap" } ]
})";
}

inline std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in{text};
  for (std::string line; std::getline(in, line);)
    lines.push_back(line);
  return lines;
}

/// The events of an event file, without its first line.
inline std::vector<event_line> events_of(const std::string& text) {
  std::vector<event_line> events;
  const auto lines = lines_of(text);
  for (std::size_t i = 1; i < lines.size(); ++i)
    events.push_back(parse_event_line(lines[i]));
  return events;
}

/// Sound one-minute candles from 2024-01-01 on, as CSV.
inline std::string flat_csv(int minutes) {
  std::string text = "open_time,open,high,low,close,volume\n";
  for (int i = 0; i < minutes; ++i)
    text += fmt::format("{},100,101,99,100,1\n", test::new_year + i * minute_ms);
  return text;
}

/// One CSV symbol per name with the file <name>.csv, strategy `grid`, frame 2024-01-01 02:00 to
/// 05:59.
inline std::string csv_configuration(const std::vector<std::string>& symbols) {
  std::string files;
  for (const auto& symbol : symbols)
    files += fmt::format("{}\"{}\": \"{}.csv\"", files.empty() ? "" : ", ", symbol, symbol);
  return R"({ "exchanges": [ { "name": "csv", "type": "csv", "files": { )" + files + R"( } } ],
  "frames": [ { "name": "hours", "interval": "1m", "start": "2024-01-01T02:00:00Z",
                "end": "2024-01-01T05:59:00Z" } ],
  "strategies": [ { "name": "grid", "type": "time_grid" } ] })";
}

} // namespace backtest::testing
