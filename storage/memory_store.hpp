#pragma once

#include "storage/store.hpp"

namespace backtest {

/// A store that lives as long as the process: for runtimes without a data directory, and tests.
/// `commit` never fails; a snapshot costs nothing until the next commit, which then copies the
/// spaces it writes to.
std::unique_ptr<store> make_memory_store();

} // namespace backtest
