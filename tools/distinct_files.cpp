#include "tools/distinct_files.hpp"

#include "messages/error.hpp"

#include <system_error>

#include <fmt/format.h>

namespace backtest::tools {

namespace {

namespace fs = std::filesystem;

/// Where it is, whether it exists or not; links followed.
fs::path place_of(const fs::path& path) {
  std::error_code unknown;
  const auto absolute = fs::absolute(path, unknown);
  const auto place = fs::weakly_canonical(absolute, unknown);
  return unknown ? absolute.lexically_normal() : place;
}

bool is_same_file(const fs::path& left, const fs::path& right) {
  if (left == "-" || right == "-")
    return left == right;
  std::error_code unknown;
  if (fs::exists(left, unknown) && !fs::is_regular_file(left, unknown))
    return false;
  // The second way also knows hard links.
  return place_of(left) == place_of(right) || fs::equivalent(left, right, unknown);
}

} // namespace

void require_distinct_files(const std::vector<named_file>& written,
                            const std::vector<named_file>& read) {
  for (auto output = written.begin(); output != written.end(); ++output) {
    for (const auto& input : read)
      if (is_same_file(output->path, input.path))
        throw failure(error_code::invalid_argument,
                      fmt::format("{}: expected a file of its own, {} is read ({})",
                                  output->named_by, output->path.string(), input.named_by));
    for (auto other = written.begin(); other != output; ++other)
      if (is_same_file(output->path, other->path))
        throw failure(error_code::invalid_argument,
                      fmt::format("{}: expected a file of its own, {} is written to {}",
                                  output->named_by, other->named_by,
                                  output->path == "-" ? "stdout" : output->path.string()));
  }
}

} // namespace backtest::tools
