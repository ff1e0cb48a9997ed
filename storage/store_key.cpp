#include "storage/store_key.hpp"

#include "messages/error.hpp"

#include <charconv>
#include <numeric>

namespace backtest {

namespace {

constexpr std::string_view hexadecimal = "0123456789ABCDEF";

bool is_plain(char c) noexcept {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '-';
}

void append_part(std::string& key, std::string_view part) {
  for (char c : part) {
    if (is_plain(c)) {
      key += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    key += '%';
    key += hexadecimal[byte >> 4U];
    key += hexadecimal[byte & 15U];
  }
}

/// Absent for anything but what `append_part` writes: one tuple has one key.
std::optional<std::string> decode_part(std::string_view text) {
  std::string part;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (is_plain(text[i])) {
      part += text[i];
      continue;
    }
    if (text[i] != '%' || text.size() - i < 3)
      return std::nullopt;
    const auto high = hexadecimal.find(text[i + 1]);
    const auto low = hexadecimal.find(text[i + 2]);
    if (high == std::string_view::npos || low == std::string_view::npos)
      return std::nullopt;
    const char c = static_cast<char>(high * 16 + low);
    if (is_plain(c))
      return std::nullopt;
    part += c;
    i += 2;
  }
  return part;
}

} // namespace

std::string make_store_key(std::span<const std::string_view> parts) {
  if (parts.empty())
    throw failure(error_code::invalid_argument, "store key: expected at least one part, got none");
  std::string key = make_store_prefix(parts);
  key.pop_back();
  return key;
}

std::string make_store_key(std::initializer_list<std::string_view> parts) {
  return make_store_key(std::span{parts.begin(), parts.size()});
}

std::string make_store_prefix(std::span<const std::string_view> parts) {
  std::string prefix;
  prefix.reserve(std::accumulate(
      parts.begin(), parts.end(), std::size_t{0},
      [](std::size_t sum, std::string_view part) { return sum + part.size() + 1; }));
  for (auto part : parts) {
    append_part(prefix, part);
    prefix += '/';
  }
  return prefix;
}

std::string make_store_prefix(std::initializer_list<std::string_view> parts) {
  return make_store_prefix(std::span{parts.begin(), parts.size()});
}

std::optional<std::vector<std::string>> split_store_key(std::string_view key) {
  std::vector<std::string> parts;
  while (true) {
    const auto slash = key.find('/');
    auto part = decode_part(key.substr(0, slash));
    if (!part)
      return std::nullopt;
    parts.push_back(std::move(*part));
    if (slash == std::string_view::npos)
      return parts;
    key.remove_prefix(slash + 1);
  }
}

std::string number_key_part(std::uint64_t number) {
  std::string digits(20, '0');
  for (auto at = digits.rbegin(); number != 0; number /= 10)
    *at++ = static_cast<char>('0' + number % 10);
  return digits;
}

std::optional<std::uint64_t> parse_number_key_part(std::string_view part) noexcept {
  std::uint64_t number = 0;
  const char* end = part.data() + part.size();
  const auto result = std::from_chars(part.data(), end, number);
  if (part.size() != 20 || result.ec != std::errc{} || result.ptr != end)
    return std::nullopt;
  return number;
}

} // namespace backtest
