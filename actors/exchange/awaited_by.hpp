#pragma once

#include <algorithm>
#include <stop_token>
#include <vector>

namespace backtest {

/// Who waits for an answer. Tokens are looked at wherever a user's function would be called next,
/// so that none is called for somebody who does not want to know any more. Thread-safe to read.
struct awaited_by {
  std::vector<std::stop_token> runs = {}; ///< empty: of somebody who is not told to stop
  std::stop_token halted = {};            ///< of all of them: nothing of theirs goes on

  /// Nobody, once all of the runs were told to stop.
  bool is_nobody() const noexcept {
    return halted.stop_requested() ||
           (!runs.empty() && std::all_of(runs.begin(), runs.end(),
                                         [](const auto& run) { return run.stop_requested(); }));
  }
};

} // namespace backtest
