#include "messages/plain_text.hpp"

#include <doctest/doctest.h>

#include <random>

using namespace backtest;

TEST_CASE("plain text: markdown marks go, words stay") {
  CHECK(plain_text("") == "");
  CHECK(plain_text("just words") == "just words");
  CHECK(plain_text("# Title") == "Title");
  CHECK(plain_text("###### Small") == "Small");
  CHECK(plain_text("**bold** and *italic* and ***both***") == "bold and italic and both");
  CHECK(plain_text("__bold__ and _italic_ and ___both___") == "bold and italic and both");
  CHECK(plain_text("**bold with *italic* inside**") == "bold with italic inside");
  CHECK(plain_text("~~gone~~ stays") == "gone stays");
  CHECK(plain_text("use `price_open` here") == "use price_open here");
  CHECK(plain_text("``a ` b``") == "a ` b");
  CHECK(plain_text("see [the *docs*](https://example.com/a_(b)) now") == "see the docs now");
  CHECK(plain_text("![chart of BTC](chart.png) attached") == "chart of BTC attached");
  CHECK(plain_text("[![badge](b.svg)](https://example.com)") == "badge");
  CHECK(plain_text("> quoted\n>> twice") == "quoted twice");
  CHECK(plain_text("<b>bold</b> <!-- hidden --> <a href=\"x\">link</a><br/>") == "bold link");
  CHECK(plain_text("before\n\n---\n\nafter\n***\n- - -") == "before after");
}

TEST_CASE("plain text: list marks become bullets") {
  CHECK(plain_text("- one\n* two\n+ three\n1. four\n12) five") ==
        "• one • two • three • four • five");
  CHECK(plain_text("- **Entry:** above `sma20`") == "• Entry: above sma20");
  CHECK(plain_text("-5% below") == "-5% below");
  CHECK(plain_text("1.5 percent") == "1.5 percent");
  CHECK(plain_text("#1 pick") == "#1 pick");
}

TEST_CASE("plain text: fenced code is dropped, an open fence loses nothing") {
  CHECK(plain_text("before\n```cpp\nint x = 1;\n```\nafter") == "before after");
  CHECK(plain_text("before\n~~~\n```\n~~~\nafter") == "before after");
  CHECK(plain_text("before\n```\nafter") == "before after");
  CHECK(plain_text("a ```b``` c") == "a b c");
}

TEST_CASE("plain text: strategy text is not damaged") {
  for (const char* text : {"RSI < 30 and price > 100",
                           "RSI <30 and price >100",
                           "my_var_name",
                           "2*3*4",
                           "2 * 3 * 4",
                           "(a)*(b)*(c)",
                           "a <fast and slow> b",
                           "_unclosed",
                           "*unclosed",
                           "a ** b ** c",
                           "x_1 and y_1",
                           "[0, 1]",
                           "a[1]",
                           "![not an image",
                           "tag <",
                           "a < b",
                           "<3",
                           "`open",
                           ">= 30",
                           ">70 is high",
                           "snake_case_ and _x",
                           "[a](b",
                           "<!-- open",
                           "\\*kept\\*"})
    CHECK(plain_text(text) == text);
}

TEST_CASE("plain text: notes are one line, prompts keep their paragraphs") {
  const std::string text = "  First   line\r\nsecond\tline  \n\n\n- item\n- other\n\n";
  CHECK(plain_text(text) == "First line second line • item • other");
  CHECK(plain_text(text, line_breaks::keep) == "First line\nsecond line\n\n• item\n• other");
  CHECK(plain_text("*over\ntwo lines*") == "over two lines");
  CHECK(plain_text("*not over\n\na paragraph*") == "*not over a paragraph*");
}

TEST_CASE("plain text: any input gives one trimmed line without double blanks") {
  std::mt19937_64 random(20240117);
  const std::string alphabet = "ab1 *_~`<>[]()!#-.\\\n\t|\xc3\xa9/=";
  for (int round = 0; round < 20'000; ++round) {
    std::string text(random() % 40, ' ');
    for (char& c : text)
      c = alphabet[random() % alphabet.size()];
    const std::string plain = plain_text(text);
    CAPTURE(text);
    REQUIRE(plain.find_first_of("\n\t\r") == std::string::npos);
    REQUIRE(plain.find("  ") == std::string::npos);
    REQUIRE((plain.empty() || (plain.front() != ' ' && plain.back() != ' ')));
    // Nothing is added but bullets, and words without marks around them never vanish.
    REQUIRE(plain_text("x " + text).front() == 'x');
  }
}

TEST_CASE("plain text: hostile repetition stays quick and shallow") {
  const auto repeated = [](const char* part) {
    std::string text;
    while (text.size() < 50'000)
      text += part;
    return text;
  };
  for (const char* part : {"*_", "*a ", "_*a", "[", "[a](", "`", "` `` ", "<!-- ", "<a ", "> ",
                           "```\n", "~~~\n", "![", "(["})
    CHECK(plain_text(repeated(part)).size() <= 50'010);
}
