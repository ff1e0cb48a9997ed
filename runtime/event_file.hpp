#pragma once

#include "messages/event_json.hpp"
#include "runtime/html_report.hpp"

#include <boost/json/object.hpp>

#include <functional>
#include <string_view>

namespace backtest {

/// The first line of an event file.
struct recorded_run {
  std::string version;
  std::string command;
  boost::json::object configuration; ///< the document as it was read
  std::vector<std::string> symbols;
  std::vector<std::string> strategies;
  std::string frame;
  std::string exchange;
  std::optional<instant> from;
  std::optional<instant> to;
};

/// Reads event lines as `run` and `live` write them, and calls `hear` for each event in order.
/// Throws `failure{io_failed}` naming `file_name` and the line: for a file without the line of the
/// run at its beginning, and for the first line that is not an event, a cut one at the end
/// included.
recorded_run read_events(std::string_view text, std::string_view file_name,
                         const std::function<void(event_line&&)>& hear);

/// The parameters of the recorded configuration, the defaults where it gives none. Throws
/// `failure{invalid_configuration}`.
configuration parameters_of(const recorded_run& run);

/// First and last instant of a backtest, from its frame and the command line; absent where the
/// recorded configuration does not tell them.
std::optional<std::pair<instant, instant>> bounds_of(const recorded_run& run);

html_facts facts_of(const recorded_run& run);

} // namespace backtest
