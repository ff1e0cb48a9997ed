#pragma once

#include "tools/tap_output.hpp"

#include <filesystem>

namespace backtest::tools {

/// Prints the journal in a node's directory, beside the node. `request.ends`: as it is now.
/// `patience`: with a node that keeps replacing its files. Throws `failure` as `open_rocksdb_reader`
/// and `journal_tap` do.
void tap_directory(const std::filesystem::path& directory, const tap_request& request,
                   std::chrono::milliseconds patience, tap_output& output);

} // namespace backtest::tools
