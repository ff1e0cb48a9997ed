#pragma once

#include "messages/candle.hpp"
#include "messages/event.hpp"
#include "runtime/statistics.hpp"
#include "runtime/walker_report.hpp"

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace backtest {

/// What a run was asked to do, as the first line of an event file tells it.
struct html_facts {
  std::string version;
  std::string command;
  std::vector<std::string> symbols;
  std::vector<std::string> strategies;
  std::string frame;
  std::string exchange;
  std::optional<instant> from; ///< bounds given on the command line
  std::optional<instant> to;
  std::string configuration; ///< JSON, indented for people
};

struct html_trade {
  trade_record record;
  position_side position = position_side::long_side;
  double price_open = 0;
  double price_close = 0;
  double price_take_profit = 0;
  double price_stop_loss = 0;
  close_reason reason = close_reason::time_expired;
  std::string note;
};

/// A strategy on a symbol.
struct html_run {
  std::int64_t scheduled = 0;
  std::int64_t opened = 0;
  std::int64_t cancelled = 0;
  std::int64_t rejected = 0;
  std::int64_t errors = 0;
  std::vector<html_trade> trades;    ///< in order of closing
  std::optional<instant> open_since; ///< of the position that is still open
  std::optional<run_outcome> outcome;
  std::optional<trade_statistics> statistics; ///< absent: computed from the trades
};

/// Symbol, then strategy.
using html_run_key = std::pair<std::string, std::string>;

struct html_rejection {
  html_run_key run;
  instant timestamp = 0;
  position_side position = position_side::long_side;
  std::string risk_name;
  std::string comment;
  double current_price = 0;
  std::int64_t active_position_count = 0;
};

struct html_problem {
  topic on = topic::error;
  html_run_key run; ///< empty outside a run
  error_code code = error_code::invalid_argument;
  std::optional<instant> timestamp;
  std::string message;
};

/// Everything an HTML report shows, filled from the events of a run.
struct html_report {
  html_facts facts;
  run_mode mode = run_mode::backtest;
  statistics_gates gates;
  std::map<html_run_key, html_run> runs;
  std::vector<html_rejection> rejections; ///< in order of their instants
  std::vector<html_problem> problems;
  instant step = minute_ms; ///< between two instants of the frame
  /// First and last instant of the run, for exposure; absent: not known.
  std::optional<std::pair<instant, instant>> bounds;
  std::optional<trade_statistics> portfolio; ///< absent: computed from the trades
  /// Candles by symbol, for price charts; without them the prices of the signals are drawn.
  std::map<std::string, shared_series> candles;
  std::optional<instant> first_instant; ///< of all events
  std::optional<instant> last_instant;
  std::int64_t event_count = 0;
  std::vector<std::string> warnings; ///< shown before everything else
  /// Of a walker, one for each symbol: the page shows rankings, and then the winners alone.
  std::vector<walker_report_data> walks;
  /// Sentences about events that should be there and are not.
  std::vector<std::string> missing;

  void apply(const event& item);
};

/// One self-contained page: no network, no clock, the same bytes for the same report. What would
/// make it larger than about 5 MB is thinned, and the page says so.
std::string html_page(const html_report& report);

} // namespace backtest
