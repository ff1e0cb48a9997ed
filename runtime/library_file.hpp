#pragma once

#include <filesystem>
#include <string>

namespace backtest {

/// What keeps a file from being loaded as a shared library, with what was expected; "" when nothing
/// is known. The system's loader maps a file without looking at its size: the first access behind
/// the end of one that was cut short would kill the process.
std::string fault_of_library(const std::filesystem::path& library);

} // namespace backtest
