#include "storage/replaceable_file.hpp"

#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

namespace backtest {

namespace fs = std::filesystem;

std::error_code refusal_to_replace(const fs::path& path) {
  if (::faccessat(AT_FDCWD, path.c_str(), W_OK, AT_EACCESS) == 0 || errno == ENOENT)
    return {};
  return {errno, std::generic_category()};
}

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
