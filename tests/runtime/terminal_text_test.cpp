#include "runtime/terminal_text.hpp"

#include <doctest/doctest.h>

using namespace backtest;

TEST_CASE("terminal text: a name keeps its line and commands nothing") {
  CHECK(printable("BTC|USDT é") == "BTC|USDT é");
  CHECK(printable("a\nb\x1b[31m\x7f") == "a?b?[31m?");
  CHECK(printable_lines("1. a\x1b\r\n2. b") == "1. a??\n2. b");
}

TEST_CASE("terminal text: width counts letters, not bytes") {
  CHECK(width_of("") == 0);
  CHECK(width_of("abc") == 3);
  CHECK(width_of("стратегия") == 9);
}
