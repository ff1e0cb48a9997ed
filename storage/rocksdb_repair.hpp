#pragma once

#include "messages/time.hpp"
#include "storage/journal_repair.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace backtest {

/// What a repair found and did.
struct store_repair {
  std::vector<std::string> damage; ///< one sentence each; none: the store was whole
  std::filesystem::path aside;     ///< where what was damaged lies now; "" when nothing was done
  std::vector<number_range> lost;  ///< journal numbers
  std::size_t lines_found = 0;  ///< of those, readable behind the damage: aside/lost-events.jsonl
  std::size_t rows_dropped = 0; ///< of runs, since what they say may be out of date
  bool all_rows_lost = false;   ///< of runs: none could be trusted
  std::string runs;             ///< that are still kept, as `stored_run_names`
  journal_bounds journal;       ///< afterwards
};

/// Checks every byte of the store in `directory` and, when it is damaged, puts a new one in its
/// place that holds what can be trusted: journal lines and candles that are whole, and rows of runs
/// as they were before the damage. What was there is moved aside, nothing is deleted. Each journal
/// number that is lost gets an error line that says so, and none is used again. Interrupted at any
/// moment, it is finished by calling it again. `now`: the time that its lines have.
/// Throws `failure`: `already_running` beside a writer, `not_found` where nothing is stored,
/// `store_failed` when nothing can be read or written.
store_repair repair_rocksdb_store(const std::filesystem::path& directory, instant now);

} // namespace backtest
