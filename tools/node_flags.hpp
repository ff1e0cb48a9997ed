#pragma once

#include "runtime/node_address.hpp"

#include <chrono>
#include <string>
#include <string_view>

#include <CLI/CLI.hpp>

namespace backtest::tools {

/// The address given with a flag; throws `failure{invalid_argument}` naming the flag.
node_address address_of(std::string_view flag, const std::string& text);

/// --patience SECONDS: how long a directory is read beside a node that keeps replacing its files.
void add_patience(CLI::App& command, std::chrono::milliseconds& patience);

} // namespace backtest::tools
