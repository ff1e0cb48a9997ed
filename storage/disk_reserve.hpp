#pragma once

#include <cstdint>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>

namespace backtest {

/// Space of a disk kept back, so that what is under way can end when the disk is full: a file
/// whose blocks are allocated. Any thread.
class disk_reserve {
public:
  /// `bytes`: its size, in a file in `directory`; 0 switches it off.
  disk_reserve(const std::filesystem::path& directory, std::int64_t bytes);

  /// Makes the file whole again. When that is not possible: why, in one sentence with the bytes
  /// that are free and needed. `more`: bytes that must be free besides.
  std::optional<std::string> hold(std::uint64_t more = 0);

  /// Whether more than that is free besides.
  bool leaves(std::uint64_t bytes) const;

  /// Gives the space to whoever writes next.
  void release() noexcept;

private:
  bool is_whole() const;
  std::optional<std::string> make();

  std::filesystem::path directory_;
  std::filesystem::path path_;
  std::int64_t bytes_;
  std::mutex mutex_;
};

/// Whether an errno says that there is no room: on the disk, or in a user's quota.
bool is_out_of_space(int error_number) noexcept;

/// "12.3 MB" and so on, for people.
std::string size_text(std::uint64_t bytes);

/// What is free on the disk of `directory` for this user, for people.
std::string free_space_text(const std::filesystem::path& directory);

} // namespace backtest
