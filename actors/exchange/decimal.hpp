#pragma once

#include <array>
#include <charconv>
#include <cstdint>

namespace backtest {

/// Reads a number exactly as `std::from_chars(first, last, value)` does: same value, same end, same
/// error. Plain decimals of up to 2^53 (prices, volumes) take a short cut.
inline std::from_chars_result read_decimal(const char* first, const char* last,
                                           double& value) noexcept {
  static constexpr std::array<double, 20> powers{1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,
                                                 1e7,  1e8,  1e9,  1e10, 1e11, 1e12, 1e13,
                                                 1e14, 1e15, 1e16, 1e17, 1e18, 1e19};
  const char* at = first;
  std::uint64_t digits = 0;
  const auto take_digits = [&] {
    const char* const begin = at;
    for (; at != last; ++at) {
      const auto digit = static_cast<unsigned>(*at) - static_cast<unsigned>('0');
      if (digit > 9)
        break;
      digits = digits * 10 + digit;
    }
    return static_cast<std::size_t>(at - begin);
  };
  const std::size_t whole = take_digits();
  std::size_t fraction = 0;
  if (at != last && *at == '.') {
    ++at;
    fraction = take_digits();
  }
  // 19 digits cannot overflow `digits`; up to 2^53 it is exact as a double, as is the power, so the
  // one division rounds once, like from_chars.
  const std::size_t count = whole + fraction;
  if (count > 0 && count <= 19 && digits <= (std::uint64_t{1} << 53) &&
      (at == last || (*at != 'e' && *at != 'E'))) {
    value = static_cast<double>(static_cast<std::int64_t>(digits)) / powers[fraction];
    return {at, std::errc{}};
  }
  return std::from_chars(first, last, value);
}

} // namespace backtest
