#pragma once

#include "actors/gate/node_security.hpp"
#include "runtime/node_address.hpp"

#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>

#include <CLI/CLI.hpp>

namespace backtest::tools {

/// The address given with a flag; throws `failure{invalid_argument}` naming the flag.
node_address address_of(std::string_view flag, const std::string& text);

/// --tls-cert, --tls-key, --tls-ca, and --secret for who connects.
void add_security(CLI::App& command, node_security& security, bool connects);
/// Throws `failure{invalid_argument}` for flags that miss each other, and for any of them without
/// `counterpart`, which is given or not.
void require_usable(const node_security& security, std::string_view counterpart, bool is_given);

/// --store rocksdb or the address of a Redis server.
void add_store(CLI::App& command, std::string& store);
/// What was acknowledged by a Redis server is known to a file in the data directory.
std::filesystem::path redis_mark_path(const std::filesystem::path& data_directory);

/// --patience SECONDS: how long a directory is read beside a node that keeps replacing its files.
void add_patience(CLI::App& command, std::chrono::milliseconds& patience);

} // namespace backtest::tools
