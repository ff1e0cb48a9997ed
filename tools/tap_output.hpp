#pragma once

#include "actors/publisher/journal_tap.hpp"
#include "tools/output_file.hpp"
#include "tools/tap_cursor.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>

namespace backtest::tools {

/// Prints lines of a journal and remembers how far it came. Ends early when asked to, or when
/// nobody reads standard output any more. One thread.
class tap_output {
public:
  /// `cursor`: the name to remember under, "" for none. Throws as `tap_cursor` does.
  tap_output(const std::string& cursor, std::stop_token stop);

  /// Where to begin: what is remembered, else `from`.
  std::optional<std::int64_t> first(std::optional<std::int64_t> from) const;

  /// Once it returns the lines are written and remembered, in this order: a tap that is killed in
  /// between prints some again. Throws `failure(io_failed)`.
  void print(const journal_piece& piece);

  /// Nothing more is wanted.
  bool is_done();
  /// Returns sooner when nothing more is wanted.
  void wait_for(std::chrono::milliseconds time);
  const std::stop_token& stop() const noexcept { return stop_; }

private:
  output_file out_{"-"};
  std::optional<tap_cursor> cursor_;
  std::stop_token stop_;
};

} // namespace backtest::tools
