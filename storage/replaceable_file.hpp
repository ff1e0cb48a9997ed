#pragma once

#include <filesystem>
#include <optional>
#include <system_error>

namespace backtest {

/// Why a file may not be replaced: it is there, and this process may not write it. A rename would
/// do it all the same, as it asks only for the directory. Nothing wrong: an empty code.
std::error_code refusal_to_replace(const std::filesystem::path& path);

/// The file a rename may put a new one in the place of: `path`, or what symbolic links at `path`
/// lead to. Nothing for a device, pipe or socket: a rename would destroy it, it is written in
/// place.
std::optional<std::filesystem::path> replaceable_file(const std::filesystem::path& path);

} // namespace backtest
