#include "actors/exchange/decimal.hpp"

#include <doctest/doctest.h>

#include <bit>
#include <random>
#include <string_view>

using namespace backtest;

namespace {

void check_like_from_chars(std::string_view text) {
  CAPTURE(text);
  const char* const first = text.data();
  const char* const last = first + text.size();
  double expected = -7;
  double value = -7;
  const auto standard = std::from_chars(first, last, expected);
  const auto result = read_decimal(first, last, value);
  REQUIRE(result.ec == standard.ec);
  REQUIRE(result.ptr == standard.ptr);
  REQUIRE(std::bit_cast<std::uint64_t>(value) == std::bit_cast<std::uint64_t>(expected));
}

} // namespace

TEST_CASE("decimal: literal numbers") {
  double value = 0;
  constexpr std::string_view text = "95505.4,1";
  CHECK(*read_decimal(text.data(), text.data() + text.size(), value).ptr == ',');
  CHECK(value == 95505.4);
}

TEST_CASE("decimal: edge cases are what from_chars makes of them") {
  for (const auto* text : {"",
                           ".",
                           "-",
                           "-.",
                           "1.",
                           ".5",
                           "0",
                           "-0",
                           "00.10",
                           "+1",
                           " 1",
                           "1 ",
                           "1e5",
                           "1E-5",
                           "1e",
                           "1e+",
                           "1.e3",
                           "1,5",
                           "1.2.3",
                           "nan",
                           "inf",
                           "-inf",
                           "infinity",
                           "0x10",
                           "1e400",
                           "1e-400",
                           "9007199254740992",
                           "9007199254740993",
                           "9007199254740993.0",
                           "18446744073709551616",
                           "0.0000000000000000001",
                           "0.00000000000000000001",
                           "1234567890123456789",
                           "12345678901234567890",
                           "123456789.0123456789",
                           "0.30000000000000004",
                           "179769313486231570000000000000000000000",
                           "4.9e-324",
                           "text"})
    check_like_from_chars(text);
}

TEST_CASE("decimal: random numbers and random text are read as from_chars reads them") {
  std::mt19937_64 random{7};
  constexpr std::string_view alphabet = "00112233445566778899..-eE+,nif";
  for (int round = 0; round < 200'000; ++round) {
    std::string text;
    if (round % 3 == 0) {
      for (auto length = random() % 24; length > 0; --length)
        text += alphabet[random() % alphabet.size()];
    } else if (round % 3 == 1) {
      text =
          fmt::format("{}.{:0{}}", random() % 1'000'000'000, random() % 100'000'000, random() % 12);
    } else {
      text = fmt::format("{}", std::bit_cast<double>(random()));
    }
    check_like_from_chars(text);
  }
}
