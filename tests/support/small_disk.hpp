#pragma once

#include "tests/support/temporary_directory.hpp"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <unistd.h>

namespace backtest::testing {

/// A file system of its own, in memory, of a few megabytes. Where this user may not mount one it is
/// not `available`.
class small_disk {
public:
  explicit small_disk(std::uint64_t bytes) {
    available_ = ::mount("tmpfs", root_.path().c_str(), "tmpfs", 0,
                         ("size=" + std::to_string(bytes)).c_str()) == 0;
  }
  small_disk(const small_disk&) = delete;
  small_disk& operator=(const small_disk&) = delete;
  ~small_disk() {
    if (available_)
      ::umount2(root_.path().c_str(), MNT_DETACH);
  }

  bool available() const noexcept { return available_; }
  const std::filesystem::path& path() const noexcept { return root_.path(); }

  std::uint64_t free() const {
    struct statvfs found {};
    ::statvfs(root_.path().c_str(), &found);
    return static_cast<std::uint64_t>(found.f_bavail) * found.f_frsize;
  }

  /// Takes all but `left` bytes of what is free, whoever else takes and gives room meanwhile.
  void fill(std::uint64_t left) const {
    const int file = ::open(filler().c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    bool is_filled = false;
    for (int attempt = 0; file >= 0 && attempt < 100 && !is_filled; ++attempt) {
      const auto taken = free() - std::min(free(), left);
      is_filled = taken == 0 || ::posix_fallocate(file, 0, static_cast<off_t>(taken)) == 0;
    }
    ::close(file);
    if (!is_filled)
      throw std::runtime_error("the disk cannot be filled");
  }
  void clear() const { std::filesystem::remove(filler()); }

private:
  std::filesystem::path filler() const { return root_.path() / "filler"; }

  temporary_directory root_;
  bool available_ = false;
};

} // namespace backtest::testing
