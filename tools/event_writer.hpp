#pragma once

#include "messages/event.hpp"
#include "runtime/runtime.hpp"
#include "tools/output_file.hpp"

#include <string>
#include <vector>

#include <boost/json/object.hpp>

namespace backtest::tools {

/// What the first line of an event file says.
struct run_header {
  std::string command;
  run_mode mode = run_mode::backtest;
  boost::json::object configuration; ///< the document as it was read
  backtest_request request;
  /// Bounds given on the command line, which the configuration does not show.
  std::optional<instant> from;
  std::optional<instant> to;
  std::vector<std::string> topics; ///< that the file is to hold; empty: the usual ones
};

/// What event files hold unless something else was asked for.
const std::vector<topic>& default_topics(run_mode mode);

/// The subscription behind an event file. Throws `failure{invalid_argument}` for an unknown topic,
/// listing all. `names` empty: the default topics.
subscription subscription_for(const std::vector<std::string>& names, bool ticks, run_mode mode);

/// Writes event lines. Of a backtest: those with an instant in the order they come, counted, the
/// others at the end, by strategy, then symbol. Live: in the order they come, with their numbers in
/// the journal. One thread at a time.
class event_writer {
public:
  /// Throws `failure{io_failed}`. The first line is written at once.
  event_writer(const std::string& destination, const run_header& header);

  void hear(const event& item);
  /// Writes what is left; throws `failure{io_failed}`.
  void close();

private:
  void append(const event& item);

  output_file out_;
  run_mode mode_;
  std::int64_t last_seq_ = 0;
  std::vector<event> without_instant_;
};

} // namespace backtest::tools
