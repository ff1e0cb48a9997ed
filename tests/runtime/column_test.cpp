#include "runtime/column.hpp"

#include "messages/error.hpp"
#include "runtime/number_text.hpp"

#include <doctest/doctest.h>

#include <limits>

using namespace backtest;

namespace {

using int_columns = column_list<int>;

std::string decimal(const int& row, std::size_t) { return std::to_string(row); }

column<int> plain(std::string key, std::string label = "Label") {
  return {std::move(key), std::move(label), decimal};
}

std::string error_of(const int_columns& columns) {
  try {
    require_valid("backtest_columns", columns);
  } catch (const failure& cause) {
    CHECK(cause.code() == error_code::invalid_configuration);
    return cause.what();
  }
  return "";
}

} // namespace

TEST_CASE("columns: a valid int_columns passes") {
  CHECK(error_of({plain("a"), plain("b")}) == "");
  CHECK(error_of({}) == "");
}

TEST_CASE("columns: every problem is listed, numbered, with its position") {
  column<int> blind = plain("c");
  blind.is_visible = nullptr;
  CHECK(error_of({plain("a"), plain("", " \t"), {"b", "B", nullptr}, blind, plain("a")}) ==
        "Column configuration is not valid:\n"
        "1. backtest_columns[1]: Missing required field \"key\", must be a non-empty string\n"
        "2. backtest_columns[1].label must be a non-empty string, got only blanks\n"
        "3. backtest_columns[2]: Missing required field \"format\", must be a function\n"
        "4. backtest_columns[3]: Missing required field \"is_visible\", must be a function\n"
        "5. backtest_columns: Duplicate key \"a\" at indexes 0, 4");
  CHECK(error_of({column<int>()}) ==
        "Column configuration is not valid:\n"
        "1. backtest_columns[0]: Missing required field \"key\", must be a non-empty string\n"
        "2. backtest_columns[0]: Missing required field \"label\", must be a non-empty string\n"
        "3. backtest_columns[0]: Missing required field \"format\", must be a function\n"
        "4. backtest_columns[0]: Missing required field \"is_visible\", must be a function");
}

TEST_CASE("table: header, separator, a line per row") {
  const int_columns columns{
      {"row", "Row", [](const int&, std::size_t index) { return std::to_string(index + 1); }},
      plain("value", "Value"),
      {"hidden", "Hidden", decimal, [] { return false; }}};
  CHECK(markdown_table(columns, std::vector<int>{30, 20}) == "| Row | Value |\n"
                                                             "| --- | --- |\n"
                                                             "| 1 | 30 |\n"
                                                             "| 2 | 20 |\n");
  CHECK(markdown_table(columns, std::vector<int>{}) == "| Row | Value |\n| --- | --- |\n");
  CHECK(markdown_table(int_columns{{"hidden", "Hidden", decimal, [] { return false; }}},
                       std::vector<int>{1}) == "");
  CHECK(markdown_table(int_columns{}, std::vector<int>{1}) == "");
}

TEST_CASE("table: visibility is asked once per report") {
  int asked = 0;
  const int_columns columns{{"a", "A", decimal, [&] { return ++asked > 0; }}};
  markdown_table(columns, std::vector<int>{1, 2, 3});
  CHECK(asked == 1);
  markdown_table(columns, std::vector<int>{1, 2, 3});
  CHECK(asked == 2);
}

TEST_CASE("table: cells cannot break the table") {
  CHECK(table_cell("a|b\nc\r\nd\re") == "a\\|b c d e");
  CHECK(table_cell("||") == "\\|\\|");
  CHECK(table_cell("naïve → ok") == "naïve → ok");
  CHECK(table_line({"a", "", "|"}) == "| a |  | \\| |\n");
}

TEST_CASE("numbers: the sign follows the rounded value") {
  CHECK(signed_text(1.005, 2) == "+1.00");
  CHECK(signed_text(0.004, 2) == "0.00");
  CHECK(signed_text(-0.004, 2) == "0.00");
  CHECK(signed_text(-0.0, 2) == "0.00");
  CHECK(signed_text(-0.006, 2) == "-0.01");
  CHECK(fixed_text(-0.0004, 3) == "0.000");
  CHECK(fixed_text(12.3456, 3) == "12.346");
  CHECK(signed_percent_text(1.5, 2) == "+1.50%");
  CHECK(percent_text(-1.5, 2) == "-1.50%");
}

TEST_CASE("numbers: prices, minutes, times, and what is absent") {
  CHECK(price_text(42000.5) == "42000.50000000 USD");
  CHECK(price_text(0.00001234) == "0.00001234 USD");
  CHECK(price_text(0.000012345678) == "0.000012345678 USD"); // 8 significant digits are left
  CHECK(price_text(0.00000000123456789) == "0.0000000012345679 USD");
  CHECK(price_text(0.00009999999999) == "0.00010000 USD");
  CHECK(price_text(0.000123456789) == "0.00012346 USD");
  CHECK(price_text(0) == "0.00000000 USD");
  CHECK(minutes_text(1704067200000, 1704067245000) == "0.75");
  CHECK(time_text(1704067200000) == "2024-01-01T00:00:00Z");
  CHECK(time_text(1704067200250) == "2024-01-01T00:00:00.250Z");
  CHECK(fixed_text(std::nullopt, 2) == "N/A");
  CHECK(signed_percent_text(std::nullopt, 2) == "N/A");
  CHECK(percent_text(std::numeric_limits<double>::infinity(), 2) == "N/A");
  CHECK(price_text(std::numeric_limits<double>::quiet_NaN()) == "N/A");
  CHECK(minutes_text(std::nullopt, 1) == "N/A");
  CHECK(time_text(std::nullopt) == "N/A");
}
