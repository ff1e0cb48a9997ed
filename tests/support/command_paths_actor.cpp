#include "tests/support/paths.hpp"

namespace backtest::testing {

std::string command_path() { return BACKTEST_COMMAND; }

std::string breakout_plugin() { return BACKTEST_BREAKOUT_PLUGIN; }

std::string tap_example() { return BACKTEST_TAP_EXAMPLE; }

std::string test_plugin(const std::string& file_name) {
  return std::string{BACKTEST_TEST_PLUGINS} + '/' + file_name;
}

} // namespace backtest::testing
