#pragma once

#include "storage/candle_archive.hpp"

#include <filesystem>
#include <memory>

namespace backtest {

/// The candles in a data directory that this process does not hold open: it is read beside whoever
/// writes there, and opened for writing, or made, only as long as one `write` lasts.
std::unique_ptr<candle_archive> make_rocksdb_candle_archive(std::filesystem::path directory);

} // namespace backtest
