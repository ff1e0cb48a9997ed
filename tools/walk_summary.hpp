#pragma once

#include "runtime/runtime.hpp"

#include <string>
#include <vector>

namespace backtest::tools {

/// A strategy whose backtest failed within a walker.
struct failed_strategy {
  std::string strategy_name;
  std::string message;
};

/// What a walker came to on one symbol.
struct walk_outcome {
  walker_report_data result;
  run_status status;
  std::vector<failed_strategy> failed; ///< in the walker's order
  std::vector<std::string> warnings;   ///< likewise
};

/// What a walker came to, for the table and the JSON summary.
struct walk_summary {
  walker_schema walker;
  std::vector<std::string> symbols; ///< asked for
  std::size_t threads = 0;
  double elapsed_seconds = 0;
  std::vector<walk_outcome> walks; ///< by symbol; those not begun are missing

  bool any_failed() const;
  std::vector<std::string> warnings() const;
};

/// The figures of a walker that is over.
walk_outcome walk_outcome_of(runtime& target, const walker_schema& walker,
                             const walker_handle& handle);

/// The object `--json` prints, with a line end.
std::string to_json(const walk_summary& summary);
/// The rankings printed otherwise.
std::string to_table(const walk_summary& summary);

} // namespace backtest::tools
