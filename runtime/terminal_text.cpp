#include "runtime/terminal_text.hpp"

#include <algorithm>

namespace backtest {

namespace {

bool is_control(char c) noexcept {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f;
}

} // namespace

std::size_t width_of(std::string_view text) noexcept {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

std::string printable(std::string text) {
  std::replace_if(text.begin(), text.end(), is_control, '?');
  return text;
}

std::string printable_lines(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c != '\n' && is_control(c); }, '?');
  return text;
}

} // namespace backtest
