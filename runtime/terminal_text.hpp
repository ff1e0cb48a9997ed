#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace backtest {

/// Columns a text takes: its code points; names in Latin, Greek or Cyrillic letters line up, wide
/// scripts may not.
std::size_t width_of(std::string_view text) noexcept;

/// With "?" for control characters, so that a name neither breaks a line nor sends commands to the
/// terminal.
std::string printable(std::string text);

/// The same for a text of several lines: line ends stay.
std::string printable_lines(std::string text);

} // namespace backtest
