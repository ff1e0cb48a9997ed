#pragma once

#include "runtime/html_report.hpp"
#include "tools/portfolio_session.hpp"
#include "tools/progress_bar.hpp"
#include "tools/summary.hpp"
#include "tools/trade_writer.hpp"

#include <map>
#include <memory>
#include <string>
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
  ~audience() { unsubscribe(); }
  audience(const audience&) = delete;
  audience& operator=(const audience&) = delete;

  /// Returns once everything was heard. False, and the causes printed, when a file is incomplete.
  bool close();

  /// The page that was asked for; null when none was.
  html_report* page() const noexcept { return page_.get(); }

  /// First error event of a run, and how many there were.
  void print_errors(const portfolio_outcome& outcome) const;

private:
  using run_names = std::pair<std::string, std::string>; ///< strategy, symbol

  void listen(subscription wanted, event_callback callback);
  void unsubscribe();
  void note_error(const event& item);

  runtime& target_;
  std::unique_ptr<event_writer> events_;
  std::unique_ptr<trade_writer> trades_;
  std::unique_ptr<html_report> page_;
  std::unique_ptr<progress_bar> progress_;
  std::map<run_names, std::string> first_errors_;
  std::vector<listener_handle> listeners_;
};

} // namespace backtest::tools
