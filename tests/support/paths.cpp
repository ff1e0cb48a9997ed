#include "tests/support/paths.hpp"

namespace backtest::testing {

std::filesystem::path source_directory() { return BACKTEST_SOURCE_DIR; }

std::filesystem::path binary_directory() { return BACKTEST_BINARY_DIR; }

std::filesystem::path shared_directory() { return BACKTEST_SHARED_DIR; }

} // namespace backtest::testing
