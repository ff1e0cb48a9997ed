#pragma once

#include "messages/json.hpp"
#include "runtime/runtime.hpp"

#include <optional>
#include <string>
#include <vector>

namespace backtest::tools {

/// What a portfolio came to, for the table and the JSON summary.
struct portfolio_outcome {
  struct run {
    run_summary summary;
    trade_statistics statistics;
  };

  std::string command;
  backtest_request request;
  std::size_t threads = 0;
  double elapsed_seconds = 0;
  std::vector<run> runs; ///< by strategy, then symbol
  trade_statistics portfolio;

  bool any_failed() const;
};

/// The figures of a run that is over.
portfolio_outcome outcome_of(runtime& target, const run_handle& handle, run_mode mode);

/// Members of the object under way: `signals`, an object of its own, and `risk_rejections`.
void write_signal_counts(json_writer& out, const run_counters& counters);
/// What whoever reads the figures must know: that most of the run's minutes have no candle.
std::optional<std::string> warning_of(const run_summary& run);
/// Of all runs.
std::vector<std::string> warnings_of(const portfolio_outcome& outcome);

/// The object `--json` prints, with a line end.
std::string to_json(const portfolio_outcome& outcome);
/// The table printed otherwise, with the warnings below it.
std::string to_table(const portfolio_outcome& outcome, bool coloured);

} // namespace backtest::tools
