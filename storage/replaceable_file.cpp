#include "storage/replaceable_file.hpp"

#include <system_error>

namespace backtest {

namespace fs = std::filesystem;

std::optional<fs::path> replaceable_file(const fs::path& path) {
  std::error_code unknown; // then there is nothing to lose, and writing says what is wrong
  switch (fs::status(path, unknown).type()) {
  case fs::file_type::block:
  case fs::file_type::character:
  case fs::file_type::fifo:
  case fs::file_type::socket: return std::nullopt;
  default: break;
  }
  if (!fs::is_symlink(path, unknown))
    return path;
  const auto target = fs::weakly_canonical(path, unknown);
  return unknown ? path : target;
}

} // namespace backtest
