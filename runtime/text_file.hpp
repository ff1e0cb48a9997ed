#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace backtest {

/// `name` as part of a file name: bytes outside [A-Za-z0-9._-] become `_`. A name that had to be
/// changed (also: empty, "." and "..", longer than 100 bytes and so cut) gets `-` and eight hex
/// digits of a hash of the original, so that two names never share a file by accident.
std::string safe_file_name(std::string_view name);
/// The same with the hash at any rate.
std::string hashed_file_name(std::string_view name);

/// The bytes of a file. Throws `failure{io_failed}` naming path and cause: it cannot be read, or is
/// larger than `most` bytes.
std::string read_text_file(const std::filesystem::path& path, std::size_t most);

/// Writes UTF-8 text all or nothing (temporary file beside it, then rename), creating directories
/// and overwriting; a symbolic link stays one, a device or pipe is written in place. Throws
/// `failure{io_failed}` naming path and cause; the old file is then untouched.
void write_text_file(const std::filesystem::path& path, std::string_view text);
/// The same in a directory; returns the path written.
std::filesystem::path write_text_file(const std::filesystem::path& directory,
                                      std::string_view file_name, std::string_view text);

} // namespace backtest
