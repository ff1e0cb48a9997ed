#pragma once

#include "messages/error.hpp"

#include <filesystem>

namespace backtest {

/// Says that somebody else writes to the store in `directory`.
failure already_written_to(const std::filesystem::path& directory);

/// Keeps a second writer out of a directory as long as it lives. It is held on the directory
/// itself, so that nobody can take it away by deleting a file in it. It ends with the process,
/// however that ends.
class directory_lock {
public:
  /// Throws `already_written_to` when another one is held, here or in another process. A file
  /// system that knows no such locks grants it.
  explicit directory_lock(const std::filesystem::path& directory);
  directory_lock(const directory_lock&) = delete;
  directory_lock& operator=(const directory_lock&) = delete;
  ~directory_lock();

private:
  int handle_ = -1;
};

} // namespace backtest
