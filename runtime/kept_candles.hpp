#pragma once

#include "storage/candle_archive.hpp"

#include <filesystem>
#include <memory>

namespace backtest {

class runtime_core;

/// The candles in a runtime's store, whether it is open (for a live run) or not: then they are
/// read, and written when nobody else does, in `directory`; without one there are none. Calls on
/// behalf of exchange clients; `core` must outlive it.
std::shared_ptr<candle_archive> make_runtime_archive(runtime_core& core,
                                                     const std::filesystem::path& directory);

} // namespace backtest
