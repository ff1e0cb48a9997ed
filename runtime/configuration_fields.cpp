#include "runtime/configuration_fields.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace backtest {

std::string non_empty_text(const json_reader& in, std::string_view key) {
  const auto text = in.text(key);
  if (text.empty())
    in.fail_at(key, "expected a string that is not empty");
  return std::string{text};
}

std::vector<std::string> distinct_texts(const json_reader& in) {
  std::vector<std::string> texts;
  for (const auto& item : in.elements()) {
    const std::string text{item.text()};
    if (text.empty())
      item.fail("expected a string that is not empty");
    if (std::find(texts.begin(), texts.end(), text) != texts.end())
      item.fail(fmt::format("\"{}\" is listed twice", text));
    texts.push_back(text);
  }
  return texts;
}

std::vector<std::string> some_distinct_texts(const json_reader& in, std::string_view key) {
  const auto list = in.member(key);
  auto texts = distinct_texts(list);
  if (texts.empty())
    list.fail("expected at least one element");
  return texts;
}

double number_in(const json_reader& in, std::string_view key, double fallback, bool fine(double),
                 std::string_view expected) {
  const double value = in.number_or(key, fallback);
  if (!fine(value))
    in.fail_at(key, fmt::format("expected {}, got {}", expected, number_text(value)));
  return value;
}

double positive_number(const json_reader& in, std::string_view key, double fallback) {
  return number_in(
      in, key, fallback, [](double x) { return x > 0; }, "a number > 0");
}

double non_negative_number(const json_reader& in, std::string_view key, double fallback) {
  return number_in(
      in, key, fallback, [](double x) { return x >= 0; }, "a number >= 0");
}

std::optional<double> optional_non_negative(const json_reader& in, std::string_view key) {
  return in.has(key) ? std::optional{non_negative_number(in, key, 0)} : std::nullopt;
}

} // namespace backtest
