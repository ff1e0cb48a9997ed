#pragma once

#include "actors/strategy/strategy_core.hpp"
#include "storage/store.hpp"
#include "storage/store_key.hpp"

#include <optional>
#include <string>
#include <vector>

namespace backtest {

/// How a live run came to its end, kept so that a restart does not begin or tell it again.
struct ended_run {
  run_outcome outcome = run_outcome::completed;
  bool announced = false; ///< its done event is in the journal
  instant frame_last = 0; ///< what it had to examine; more than that, and it goes on
  instant data_end = 0;

  friend bool operator==(const ended_run&, const ended_run&) = default;
};

/// Everything the store keeps of one live run.
struct stored_run {
  run_identity identity; ///< exchange, strategy and symbol; frame "" and mode live
  run_memory memory;
  std::optional<ended_run> ended;
};

/// How many error events the journal took in with the names of a run.
struct told_errors {
  run_identity run;
  std::int64_t count = 0;

  friend bool operator==(const told_errors&, const told_errors&) = default;
};

// The rows of a run are JSON objects with a `version`, under keys that begin with their kind:
//   run/<exchange>/<strategy>/<symbol>              written at every boundary
//   signal/<exchange>/<strategy>/<symbol>           the signal that lives
//   milestones/<exchange>/<strategy>/<symbol>/<id>  tens of percent already announced
//   position/<profile>/<exchange>/<strategy>/<symbol>
//   errors/<exchange>/<strategy>/<symbol>           its error events; before its first instant, too

inline constexpr std::string_view signal_rows = "signal";
inline constexpr std::string_view milestone_rows = "milestones";
inline constexpr std::string_view position_rows = "position";
inline constexpr std::string_view error_rows = "errors";

/// Adds to `batch` what changed from `before` (nothing: the store has no rows of this run) to
/// `after`; the run's own row is always written.
void put_run(store_batch& batch, const stored_run& after, const stored_run* before,
             const std::vector<std::string>& profiles);

/// The same for an idle run to which nothing happened up to `last_instant` but that time went by.
void put_run_at(store_batch& batch, const stored_run& run, instant last_instant);

/// Adds the count, to the batch that holds these events.
void put_errors(store_batch& batch, const told_errors& told);

/// Adds the erasure of everything kept of a run.
void erase_run(store_batch& batch, const stored_run& run, const std::vector<std::string>& profiles);

/// A row that cannot be understood.
struct corrupt_row {
  store_entry row;
  std::string reason;
};

/// A position row without a live signal behind it.
struct stale_position {
  std::string key;
  std::string profile;
  run_identity run;
};

/// What a live node finds at its start.
struct stored_runs {
  std::vector<stored_run> runs; ///< by exchange, strategy, symbol
  /// In the same order; also of runs that have completed no instant yet, which are not in `runs`.
  std::vector<told_errors> errors;
  std::vector<corrupt_row> corrupt;
  /// Rows whose names differ from their key: left where they are, nothing starts with them.
  std::vector<corrupt_row> mismatched;
  std::vector<stale_position> stale_positions;
};

/// Puts the rows of every run together again. A signal row that is missing or corrupt leaves its
/// run idle.
stored_runs read_runs(const std::vector<store_entry>& runs, const std::vector<store_entry>& signals,
                      const std::vector<store_entry>& milestones,
                      const std::vector<store_entry>& positions,
                      const std::vector<store_entry>& errors);
stored_runs read_runs(const store_reader& from);

} // namespace backtest
