#include "storage/disk_reserve.hpp"

#include <array>
#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

namespace backtest {

namespace {

std::string reason_of(int error_number) { return std::generic_category().message(error_number); }

std::optional<std::uint64_t> free_bytes(const std::filesystem::path& directory) {
  struct statvfs found {};
  if (::statvfs(directory.c_str(), &found) != 0)
    return std::nullopt;
  return static_cast<std::uint64_t>(found.f_bavail) * found.f_frsize;
}

std::string no_space(const std::filesystem::path& directory, std::uint64_t needed,
                     std::string_view cause) {
  return fmt::format("no space left: {}, {} more are needed before anything is written ({})",
                     free_space_text(directory), size_text(needed), cause);
}

} // namespace

bool is_out_of_space(int error_number) noexcept {
  return error_number == ENOSPC || error_number == EDQUOT;
}

std::string size_text(std::uint64_t bytes) {
  constexpr std::array<std::string_view, 4> units{"kB", "MB", "GB", "TB"};
  if (bytes < 1000)
    return fmt::format("{} bytes", bytes);
  double size = static_cast<double>(bytes) / 1000;
  std::size_t unit = 0;
  for (; size >= 999.95 && unit + 1 < units.size(); ++unit)
    size /= 1000;
  return fmt::format("{:.1f} {}", size, units[unit]);
}

std::string free_space_text(const std::filesystem::path& directory) {
  const auto free = free_bytes(directory);
  return free ? size_text(*free) + " are free" : "how much is free is unknown";
}

disk_reserve::disk_reserve(const std::filesystem::path& directory, std::int64_t bytes)
    : directory_(directory), path_(directory / "RESERVED_SPACE"), bytes_(bytes) {}

bool disk_reserve::is_whole() const {
  struct stat found {};
  return ::stat(path_.c_str(), &found) == 0 && found.st_size == bytes_;
}

std::optional<std::string> disk_reserve::hold(std::uint64_t more) {
  if (bytes_ <= 0)
    return std::nullopt;
  const std::lock_guard lock{mutex_};
  if (!is_whole())
    if (auto problem = make())
      return problem;
  const auto free = free_bytes(directory_);
  if (free && *free < more)
    return no_space(directory_, more - *free, "for the next write");
  return std::nullopt;
}

bool disk_reserve::leaves(std::uint64_t bytes) const {
  const auto free = free_bytes(directory_);
  return !free || *free > bytes; // what is unknown keeps nobody from trying
}

std::optional<std::string> disk_reserve::make() {
  const int file = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  int problem = file < 0 ? errno : 0;
  if (problem == 0) {
    do
      problem = ::fallocate(file, 0, 0, static_cast<off_t>(bytes_)) == 0 ? 0 : errno;
    while (problem == EINTR);
    // Without blocks to allocate there is only what the disk says of itself.
    if (problem == EOPNOTSUPP)
      problem =
          free_bytes(directory_).value_or(0) < static_cast<std::uint64_t>(bytes_) ? ENOSPC : 0;
    if (problem == 0 && ::ftruncate(file, static_cast<off_t>(bytes_)) != 0)
      problem = errno;
    ::close(file);
  }
  if (problem == 0)
    return std::nullopt;
  ::unlink(path_.c_str()); // blocks of a part of it would be in the way
  if (is_out_of_space(problem)) {
    const auto free = free_bytes(directory_).value_or(0);
    const auto whole = static_cast<std::uint64_t>(bytes_);
    return no_space(directory_, whole > free ? whole - free : whole,
                    fmt::format("store_reserve_bytes is {}: {}", bytes_, reason_of(problem)));
  }
  return fmt::format("{} cannot be written: {}", path_.string(), reason_of(problem));
}

void disk_reserve::release() noexcept {
  const std::lock_guard lock{mutex_};
  if (bytes_ > 0)
    ::unlink(path_.c_str());
}

} // namespace backtest
