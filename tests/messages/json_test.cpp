#include "messages/json.hpp"
#include "messages/json_reader.hpp"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>

using namespace backtest;

namespace {

std::string message_of(std::string_view text) {
  try {
    parse_json(text);
  } catch (const failure& problem) {
    CHECK(problem.code() == error_code::invalid_configuration);
    return problem.what();
  }
  return "no failure";
}

std::string quoted(std::string_view text) {
  std::string out;
  json_writer{out}.string(text);
  return out;
}

/// A number that is read from JSON, whatever kind the document gave it.
double read_number(std::string_view text) {
  const auto document = parse_json(text);
  return json_reader{document}.number();
}

bool same_bits(double left, double right) {
  return std::bit_cast<std::uint64_t>(left) == std::bit_cast<std::uint64_t>(right);
}

} // namespace

TEST_CASE("json: numbers are written in the shortest form, whole ones without exponent") {
  CHECK(number_text(0) == "0");
  CHECK(number_text(-0.0) == "-0");
  CHECK(number_text(0.1) == "0.1");
  CHECK(number_text(100000) == "100000");
  CHECK(number_text(-1000000000) == "-1000000000");
  CHECK(number_text(1e15) == "1000000000000000");
  CHECK(number_text(1e20) == "100000000000000000000");
  CHECK(number_text(1e21) == "1e+21");
  CHECK(number_text(94260.38368932162) == "94260.38368932162");
  CHECK(number_text(0.00001) == "1e-05");
  CHECK(number_text(5e-324) == "5e-324");
  CHECK(number_text(std::numeric_limits<double>::quiet_NaN()) == "null");
  CHECK(number_text(std::numeric_limits<double>::infinity()) == "null");
}

TEST_CASE("json: every finite double comes back equal") {
  std::mt19937_64 random{20240101};
  const auto check = [](double value) {
    const auto text = number_text(value);
    INFO(text);
    REQUIRE(same_bits(read_number(text), value));
  };
  for (int i = 0; i < 200'000; ++i) {
    const double value = std::bit_cast<double>(random());
    if (std::isfinite(value))
      check(value);
  }
  // Prices and percents, which is what travels.
  for (int i = 0; i < 200'000; ++i) {
    const auto digits = static_cast<double>(random() % 1'000'000'000'000);
    check(digits / 1e7);
    check(-digits / 3);
    check(digits * 1e6);
  }
  for (double value : {std::numeric_limits<double>::max(), std::numeric_limits<double>::min(),
                       std::numeric_limits<double>::denorm_min(), 9007199254740993.0,
                       9223372036854775808.0, 18446744073709551616.0, -0.0})
    check(value);
}

TEST_CASE("json: integers keep all their digits") {
  CHECK(parse_json("9223372036854775807").as_int64() == INT64_MAX);
  CHECK(parse_json("-9223372036854775808").as_int64() == INT64_MIN);
  CHECK(parse_json("18446744073709551615").as_uint64() == UINT64_MAX);
  CHECK(parse_json("-9223372036854775809").as_double() == -9223372036854775808.0);
  CHECK(parse_json("18446744073709551616").as_double() == 18446744073709551616.0);
}

TEST_CASE("json: what is wrong is named with line and column") {
  CHECK(message_of("{\n  \"a\": 1,\n  \"b\": x\n}").starts_with("line 3, column 8: "));
  CHECK(message_of("").starts_with("line 1, column 1: "));
  CHECK(message_of("{} {}").find("expected the end of the text") != std::string::npos);
  CHECK(message_of("{\"a\":1,\n\"a\":2}").find("line 2, column") != std::string::npos);
  CHECK(message_of("{\"a\":1,\"a\":2}").find("duplicate key \"a\"") != std::string::npos);
  CHECK(message_of("[1e400]").find("1e400 does not fit a double") != std::string::npos);
  CHECK(message_of("\"\xFF\"").starts_with("line 1, column 2: "));
  CHECK(message_of("[1,]").starts_with("line 1, column 4: "));
  CHECK(message_of("// no comments\n1") != "no failure");
  CHECK(message_of("NaN") != "no failure");
}

TEST_CASE("json: nesting is limited") {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  CHECK(message_of(nested(60)) == "no failure");
  CHECK(message_of(nested(65)) != "no failure");
  CHECK(message_of(std::string(100'000, '[')) != "no failure");
}

TEST_CASE("json: strings are escaped and bytes that are not UTF-8 replaced") {
  CHECK(quoted("plain") == "\"plain\"");
  CHECK(quoted("a\"b\\c\n\t\r\x01") == R"("a\"b\\c\n\t\r\u0001")");
  CHECK(quoted("\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80") ==
        "\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\"");
  CHECK(quoted("a\xFFz") == "\"a\xEF\xBF\xBDz\"");
  CHECK(quoted("\xC0\x80") == "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");         // overlong
  CHECK(quoted("\xED\xA0\x80").find("\xED") == std::string::npos);     // surrogate
  CHECK(quoted("\xE2\x82") == "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");         // cut off
  CHECK(quoted("\xF4\x90\x80\x80").find("\xF4") == std::string::npos); // beyond U+10FFFF
}

TEST_CASE("json: wherever it stands in a string, every character is escaped or copied alone") {
  for (int code = 0; code < 128; ++code) {
    const auto c = static_cast<char>(code);
    const auto alone = quoted(std::string(1, c));
    const auto inside = alone.substr(1, alone.size() - 2);
    CHECK((inside.size() == 1) == (code >= 0x20 && c != '"' && c != '\\'));
    for (std::size_t before = 0; before < 18; ++before)
      for (std::size_t behind = 0; behind < 18; behind += 3)
        CHECK(quoted(std::string(before, '~') + c + std::string(behind, ' ')) ==
              '"' + std::string(before, '~') + inside + std::string(behind, ' ') + '"');
  }
}

TEST_CASE("json: whatever bytes a string has, what is written can be read") {
  std::mt19937_64 random{7};
  for (int i = 0; i < 20'000; ++i) {
    std::string bytes;
    for (std::size_t n = random() % 12; n > 0; --n)
      bytes += static_cast<char>(random() % 3 == 0 ? random() % 128 : 0x80 + random() % 128);
    const auto first = quoted(bytes);
    const auto read = parse_json(first);
    CHECK(quoted(std::string_view{read.as_string()}) == first);
  }
}

TEST_CASE("json: the writer puts commas and brackets") {
  std::string text = "x=";
  json_writer out{text};
  out.begin_object();
  out.key("a").begin_array().integer(1).number(0.5).boolean(true).null().end_array();
  out.key("b").begin_object().end_object();
  out.key("c").string("d").key("e").raw("[]");
  out.end_object();
  CHECK(text == R"(x={"a":[1,0.5,true,null],"b":{},"c":"d","e":[]})");
}

TEST_CASE("json: a tree is written as it was read") {
  const std::string text =
      R"({"z":[1,-2.5,true,null,"é"],"a":{"b":18446744073709551615},"c":[],"d":[[{}]]})";
  std::string written;
  json_writer{written}.value(parse_json(text));
  CHECK(written == text);
}

TEST_CASE("json reader: a wrong field is named by its path") {
  const auto document =
      parse_json(R"({"list":[{"n":"x","i":1.5,"t":3}],"big":18446744073709551615})");
  const json_reader in{document};
  const auto item = in.member("list").element(0);
  CHECK_THROWS_WITH(item.number("n"), "list[0].n: expected a number, got \"x\"");
  CHECK_THROWS_WITH(item.integer("i"), "list[0].i: expected an integer, got 1.5");
  CHECK_THROWS_WITH(item.text("t"), "list[0].t: expected a string, got 3");
  CHECK_THROWS_WITH(item.text("none"), "list[0].none: missing");
  CHECK_THROWS_WITH(in.integer("big"), "big: expected an integer, got 18446744073709551615");
  CHECK_THROWS_WITH(in.number("list"), "list: expected a number, got an array of 1 elements");
  CHECK_THROWS_WITH(in.member("big").object(), "big: expected an object, got 18446744073709551615");
  CHECK_THROWS_WITH(in.allow_only({"list", "small"}),
                    "big: unknown key, expected one of: list, small");
}

TEST_CASE("json reader: whole numbers are integers however they are written") {
  const auto document = parse_json("[5, 5.0, 1e3, -0]");
  const json_reader in{document};
  CHECK(in.element(0).integer() == 5);
  CHECK(in.element(1).integer() == 5);
  CHECK(in.element(2).integer() == 1000);
  CHECK(in.element(3).integer() == 0);
  CHECK(in.element(0).number() == 5.0);
}

TEST_CASE("json paths: an inner path is joined to the outer one") {
  CHECK(join_path("a", "b") == "a.b");
  CHECK(join_path("a", "[0].b") == "a[0].b");
  CHECK(join_path("", "b") == "b");
  CHECK(join_path("a", "") == "a");
}
