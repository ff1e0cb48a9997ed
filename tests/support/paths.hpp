#pragma once

#include <filesystem>
#include <string>

namespace backtest::testing {

/// Absolute paths of this build. They are compiled into one file, so that the other objects of one
/// clone serve another one's compiler cache.
std::filesystem::path source_directory();
std::filesystem::path binary_directory();
/// Golden cases and candles beside the project; may be missing.
std::filesystem::path shared_directory();

/// The built `backtest`, an example and plugins; only in the program of the actor tests.
std::string command_path();
std::string tap_example();
std::string breakout_plugin();
std::string test_plugin(const std::string& file_name);

} // namespace backtest::testing
