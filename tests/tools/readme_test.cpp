#include "tests/actors/exchange/candle_fixtures.hpp"
#include "tests/support/paths.hpp"

#include <doctest/doctest.h>

using namespace backtest::test;

TEST_CASE("readme: the embedding example is the one that is compiled") {
  const std::filesystem::path root = backtest::testing::source_directory();
  const auto example = bytes_of(root / "tools/examples/embedding.cpp");
  REQUIRE(!example.empty());
  CHECK(bytes_of(root / "README.md").find("```cpp\n" + example + "```\n") != std::string::npos);
}

TEST_CASE("readme: the tap is the function of the example that is compiled") {
  const std::filesystem::path root = backtest::testing::source_directory();
  const auto example = bytes_of(root / "tools/examples/tap.cpp");
  const std::string before = "namespace {\n\n";
  const auto begin = example.find(before);
  const auto end = example.find("\n} // namespace\n");
  REQUIRE(begin < end);
  REQUIRE(end != std::string::npos);
  const auto function = example.substr(begin + before.size(), end - begin - before.size());
  CHECK(bytes_of(root / "README.md").find("```cpp\n" + function + "```\n") != std::string::npos);
}
