#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace backtest::tools {

/// A file, and what names it: a flag, or a place in the configuration.
struct named_file {
  std::string named_by;
  std::filesystem::path path; ///< "-" for stdout
};

/// Throws `failure{invalid_argument}` when a file that will be written is also read, or would be
/// written twice. Devices and pipes may be named more than once.
void require_distinct_files(const std::vector<named_file>& written,
                            const std::vector<named_file>& read);

} // namespace backtest::tools
