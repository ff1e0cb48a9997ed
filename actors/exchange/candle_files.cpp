#include "actors/exchange/candle_files.hpp"

#include "messages/error.hpp"

#include <algorithm>
#include <iterator>
#include <system_error>

#include <fmt/format.h>
#include <fnmatch.h>

namespace backtest {

namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail_to_look(const fs::path& pattern, const fs::path& folder,
                               const std::error_code& cause) {
  throw failure(error_code::io_failed,
                fmt::format("{}: cannot look through {}: {}", pattern.string(), folder.string(),
                            cause.message()));
}

} // namespace

bool is_file_pattern(const fs::path& path) {
  std::error_code unknown;
  return path.filename().string().find_first_of("*?[") != std::string::npos &&
         !fs::exists(path, unknown);
}

candle_paths matching_files(const fs::path& path) {
  if (!is_file_pattern(path))
    return {path};
  const auto pattern = path.filename().string();
  const auto folder = path.has_parent_path() ? path.parent_path() : fs::path{"."};
  candle_paths found;
  std::error_code problem;
  fs::directory_iterator entry{folder, problem};
  if (problem)
    fail_to_look(path, folder, problem);
  for (; entry != fs::directory_iterator{}; entry.increment(problem)) {
    const auto name = entry->path().filename().string();
    std::error_code unknown;
    if (::fnmatch(pattern.c_str(), name.c_str(), FNM_PERIOD) == 0 && !entry->is_directory(unknown))
      found.push_back(path.has_parent_path() ? entry->path() : fs::path{name});
  }
  if (problem)
    fail_to_look(path, folder, problem);
  if (found.empty())
    throw failure(error_code::io_failed,
                  fmt::format("{}: no file matches; expected at least one", path.string()));
  std::sort(found.begin(), found.end());
  return found;
}

candle_paths matching_files(const candle_paths& paths) {
  candle_paths all;
  for (const auto& path : paths) {
    auto found = matching_files(path);
    std::move(found.begin(), found.end(), std::back_inserter(all));
  }
  return all;
}

bool is_rereadable(const fs::path& path) {
  std::error_code unknown;
  return fs::is_regular_file(path, unknown);
}

} // namespace backtest
