#pragma once

#include <array>
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

namespace backtest {

/// 256 bits that both ends of a connection know.
using gate_key = std::array<unsigned char, 32>;

/// Beside a node's other files.
inline constexpr const char* gate_secret_name = "gate.secret";

/// The key in a file of 64 hexadecimal digits. Throws `failure{connection_failed}` naming the file,
/// what is wrong and what was expected: not a file of that name, of somebody else than this user or
/// root, readable for others, with other content.
gate_key read_gate_secret(const std::filesystem::path& file);

/// Writes it, for this user alone and durably, unless it is there. Throws `failure{io_failed}`.
void keep_gate_secret(const std::filesystem::path& file, const gate_key& fresh);

/// A file of certificates or keys, given with `flag`: an ordinary one, and not longer than such
/// files are. Throws `failure{io_failed}` naming both.
std::string read_proof_file(std::string_view flag, const std::filesystem::path& file);

} // namespace backtest
