#pragma once

#include "runtime/runtime.hpp"

#include <cstdint>

namespace backtest {

/// Grows whenever plugins must be built anew.
inline constexpr std::uint32_t plugin_abi_version = 4;

} // namespace backtest

/// A plugin is a shared library that defines both of these. The first must answer
/// `backtest::plugin_abi_version`, as seen when the plugin was built; the second registers strategy
/// and rule types (`runtime.types()`) and complete strategies, exchanges, frames and risks.
extern "C" {
std::uint32_t backtest_plugin_abi();
void backtest_plugin_register(backtest::runtime& target);
}
