#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace backtest {

/// Whether a value that came from outside is one of an enumeration's first `count`, which are all.
template <class Enum>
constexpr bool is_one_of_first(Enum value, std::size_t count) noexcept {
  return static_cast<std::size_t>(value) < count;
}

/// The name at the value's place; "unknown" for a value that is none of the enumeration's.
template <class Enum, std::size_t Size>
constexpr std::string_view name_of(const std::array<std::string_view, Size>& names,
                                   Enum value) noexcept {
  return is_one_of_first(value, Size) ? names[static_cast<std::size_t>(value)]
                                      : std::string_view{"unknown"};
}

} // namespace backtest
