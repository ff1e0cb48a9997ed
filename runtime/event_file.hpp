#pragma once

#include "messages/event_json.hpp"
#include "runtime/html_report.hpp"

#include <boost/json/object.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

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
  std::vector<std::string> topics; ///< that were chosen; empty: the usual ones

  /// Number of the last line when it is cut off, as that of a run that was killed may be.
  std::optional<std::size_t> cut_line;
};

/// Reads event lines as `run` and `live` write them, and calls `hear` for each event in order; not
/// for a cut line at the end. Throws `failure{io_failed}` naming `file_name` and the line: for a
/// file without the line of the run at its beginning, and for the first line that is not an event.
recorded_run read_events(std::string_view text, std::string_view file_name,
                         const std::function<void(event_line&&)>& hear);

/// The same for a file, of which no more than a line is held in memory; also for a file that cannot
/// be read, and for a line of more than 64 MiB.
recorded_run read_event_file(const std::filesystem::path& file,
                             const std::function<void(event_line&&)>& hear);

/// What an event file should hold and does not, in sentences.
struct missing_lines {
  std::vector<std::string> lost;    ///< a cut line, numbers left out or out of order
  std::vector<std::string> unended; ///< runs, or walks, without the event that ends them

  bool empty() const noexcept { return lost.empty() && unended.empty(); }
};

/// Finds out what an event file does not hold.
class event_file_check {
public:
  /// Every line, in order.
  void hear(const event_line& line);
  /// After the last one. Of a live run, numbers may be left out by the choice of topics.
  missing_lines findings(const recorded_run& run) const;

private:
  std::optional<std::int64_t> first_seq_;
  std::int64_t last_seq_ = 0;
  std::int64_t left_out_ = 0;                           ///< numbers between the first and the last
  std::vector<std::string> breaks_;                     ///< the first ones
  std::set<std::pair<std::string, std::string>> ended_; ///< symbol, strategy; of a walk: symbol, ""
};

/// The parameters of the recorded configuration, the defaults where it gives none. Throws
/// `failure{invalid_configuration}`.
configuration parameters_of(const recorded_run& run);

/// First and last instant of a backtest, from its frame and the command line; absent where the
/// recorded configuration does not tell them.
std::optional<std::pair<instant, instant>> bounds_of(const recorded_run& run);
/// Milliseconds between two instants of a frame; a minute for one that the configuration does not
/// have.
instant step_of(const boost::json::object& configuration, std::string_view frame_name);

html_facts facts_of(const recorded_run& run);

} // namespace backtest
