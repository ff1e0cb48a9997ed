#pragma once

#include <cstddef>
#include <string>

namespace backtest {

/// What this process may have of memory, open files and threads, as far as it is limited, for
/// people: "at most 64 open files (ulimit -n)". "" where nothing is.
std::string describe_process_limits();

/// Starts that many threads at once and opens that many files, and gives all of it back: whoever
/// starts them later, where there is no way back, then finds what it needs. Throws
/// `failure(actor_failed)` that says what is too little, how much there is and how much is needed.
void require_room_for(std::size_t threads, std::size_t files);

} // namespace backtest
