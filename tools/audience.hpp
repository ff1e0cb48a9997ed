#pragma once

#include "runtime/error_notices.hpp"
#include "runtime/html_report.hpp"
#include "tools/gap_notes.hpp"
#include "tools/portfolio_session.hpp"
#include "tools/progress_bar.hpp"
#include "tools/summary.hpp"
#include "tools/trade_writer.hpp"

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace backtest::tools {

/// Everything that listens to runs on behalf of the person who started them. Each listener has a
/// thread of its own; what they collect is read after `close`.
class audience {
public:
  /// `more_topics`: that an event file holds beside the usual ones.
  audience(runtime& target, const run_header& header, const output_options& outputs,
           const common_options& common, const std::vector<topic>& more_topics = {});
  ~audience();
  audience(const audience&) = delete;
  audience& operator=(const audience&) = delete;

  /// Returns once everything was heard. False, and the causes printed, when a file is incomplete.
  bool close();

  /// The page that was asked for; null when none was.
  html_report* page() const noexcept { return page_.get(); }

  /// How many error events each run has, and the first that was heard of; then the same of runs
  /// that the outcome does not hold, and of errors outside the runs, and where candles were missing.
  void print_errors(const portfolio_outcome& outcome) const;

private:
  using run_names = std::pair<std::string, std::string>; ///< strategy, symbol
  struct heard_errors {
    std::string first;
    std::int64_t count = 0;
  };

  /// `name`: for errors that speak of the listener.
  void listen(const char* name, subscription wanted, event_callback callback);
  void unsubscribe();
  void note_error(const error_event& problem);
  /// As it comes, thinned.
  void show_error(const error_event& problem);
  /// Until it is asked to stop.
  void show_counts(const std::stop_token& stop);
  void stop_counting();

  runtime& target_;
  std::unique_ptr<event_writer> events_;
  std::unique_ptr<trade_writer> trades_;
  std::unique_ptr<html_report> page_;
  std::unique_ptr<progress_bar> progress_;
  std::map<run_names, heard_errors> errors_;
  gap_notes gaps_;
  std::vector<listener_handle> listeners_;

  std::mutex notices_mutex_;
  std::condition_variable_any noticed_;
  error_notices notices_;
  std::jthread counting_; ///< prints the counts of minutes, also when no further error comes
};

} // namespace backtest::tools
