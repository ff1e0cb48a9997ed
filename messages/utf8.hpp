#pragma once

#include <cstddef>
#include <string_view>

namespace backtest {

/// Length of the UTF-8 sequence at the start of `text` (not empty), 0 when there is none.
std::size_t utf8_length(std::string_view text) noexcept;

/// What stands for bytes that are not UTF-8: U+FFFD.
inline constexpr std::string_view replacement_character = "\xEF\xBF\xBD";

} // namespace backtest
