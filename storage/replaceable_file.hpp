#pragma once

#include <filesystem>
#include <optional>

namespace backtest {

/// The file a rename may put a new one in the place of: `path`, or what symbolic links at `path`
/// lead to. Nothing for a device, pipe or socket: a rename would destroy it, it is written in
/// place.
std::optional<std::filesystem::path> replaceable_file(const std::filesystem::path& path);

} // namespace backtest
