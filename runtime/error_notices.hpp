#pragma once

#include "messages/event.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>

namespace backtest {

/// Which error events a person at a terminal is shown: the first of a kind at once, then how many
/// more there were in each minute. Of a kind are errors with the same code, of the same run (those
/// of the exchange: of the same symbol; outside any run: from the same source), whose messages
/// differ in their digits alone. A minute has at most `most_lines` lines at once and as many with
/// counts, and one about what is left. Times are milliseconds of any clock that does not go back.
/// Not thread-safe.
class error_notices {
public:
  static constexpr std::size_t most_lines = 20;
  /// Errors of further kinds count as one.
  static constexpr std::size_t most_kinds = 10'000;
  /// A kind that was silent for so long is told at once when it comes again.
  static constexpr instant forgotten_after = 60 * minute_ms;

  /// The line to be printed at once, with its line end; empty when the error is counted.
  std::string take(const error_event& problem, instant now);

  /// When `counts` has something to say; nothing while no error has come since.
  std::optional<instant> next_due() const noexcept { return due_; }

  /// The lines of the minute if it is over by `now`, else nothing.
  std::string counts(instant now);
  /// The same whether it is over or not.
  std::string counts_so_far(instant now);

private:
  /// Code, names of the run or the source, message without digits.
  using kind = std::tuple<error_code, std::string, std::string, std::string, std::string>;
  struct occurrences {
    bool is_shown = false;
    std::int64_t counted = 0; ///< in this minute, and not shown
    instant latest = 0;
    error_event newest; ///< of those counted
  };

  static kind kind_of(const error_event& problem);
  occurrences& find(const error_event& problem);
  void forget(instant now);

  std::map<kind, occurrences> kinds_;
  std::optional<instant> due_; ///< end of this minute
  std::size_t lines_ = 0;      ///< printed at once in this minute
};

/// Names and code of an error event, as a line about it begins: "2024-01-01T00:00:00Z cross BTCUSDT
/// error fetch_failed", "store error store_failed".
std::string error_heading(const error_event& problem);

} // namespace backtest
