#include "runtime/plugin.hpp"

#include <stdexcept>

std::uint32_t backtest_plugin_abi() { return backtest::plugin_abi_version; }
void backtest_plugin_register(backtest::runtime&) { throw std::runtime_error("no licence"); }
