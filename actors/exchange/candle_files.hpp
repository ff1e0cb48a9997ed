#pragma once

#include <filesystem>
#include <vector>

namespace backtest {

/// The files with the candles of one symbol, in any order. A file name may be a pattern with *, ?
/// and [...] as in a shell; folders may not.
using candle_paths = std::vector<std::filesystem::path>;

/// Whether the path is a pattern: its file name has *, ? or [, and no file has that very name.
bool is_file_pattern(const std::filesystem::path& path);

/// The path itself, there or not, or every file that matches the pattern, by name. Folders do not
/// match, nor do names that begin with a dot unless the pattern does. Throws `failure{io_failed}`
/// naming the pattern when no file matches or the folder cannot be looked through.
candle_paths matching_files(const std::filesystem::path& path);

/// The files of several paths, each as above.
candle_paths matching_files(const candle_paths& paths);

/// Whether reading the path again gives the same once more; not so a pipe, or a path that is not
/// there.
bool is_rereadable(const std::filesystem::path& path);

} // namespace backtest
