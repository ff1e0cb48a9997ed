#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace backtest::tools {

/// Where a reader of a journal remembers the number it goes on with: a file per name in
/// $XDG_STATE_HOME/backtest/cursors, by default ~/.local/state/backtest/cursors. Never in the
/// node's own directory, which has one writer. One process at a time holds a name.
class tap_cursor {
public:
  /// Throws `failure`: `io_failed`, `already_running` when another process holds it.
  explicit tap_cursor(const std::string& name);
  ~tap_cursor();
  tap_cursor(const tap_cursor&) = delete;
  tap_cursor& operator=(const tap_cursor&) = delete;

  /// Nothing while nothing was remembered.
  std::optional<std::int64_t> next() const noexcept { return next_; }
  /// Durable when it returns; throws `failure(io_failed)`.
  void save(std::int64_t next);

private:
  std::filesystem::path path_;
  int descriptor_ = -1;
  std::optional<std::int64_t> next_;
};

} // namespace backtest::tools
