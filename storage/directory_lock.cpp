#include "storage/directory_lock.hpp"

#include <cerrno>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

namespace backtest {

failure already_written_to(const std::filesystem::path& directory) {
  return {error_code::already_running,
          fmt::format("store {}: another process, or another store of this one, has it open for "
                      "writing; expected one writer at a time",
                      directory.string())};
}

directory_lock::directory_lock(const std::filesystem::path& directory)
    : handle_(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
  if (handle_ < 0 || ::flock(handle_, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK)
    return; // opening the store says what is wrong with the directory
  ::close(handle_);
  throw already_written_to(directory);
}

directory_lock::~directory_lock() {
  if (handle_ >= 0)
    ::close(handle_);
}

} // namespace backtest
