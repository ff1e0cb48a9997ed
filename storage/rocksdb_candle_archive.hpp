#pragma once

#include "messages/configuration.hpp"
#include "storage/candle_archive.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>

namespace backtest {

/// The candles in a data directory that this process does not hold open: it is read beside whoever
/// writes there, and opened for writing, or made, only as long as one `write` lasts.
/// `reserve_bytes` is asked before each `write`, as `rocksdb_options` has it.
std::unique_ptr<candle_archive> make_rocksdb_candle_archive(
    std::filesystem::path directory, std::function<std::int64_t()> reserve_bytes = [] {
      return configuration{}.store_reserve_bytes;
    });

} // namespace backtest
