#include "runtime/html_report_text.hpp"

#include "messages/json.hpp"
#include "messages/utf8.hpp"
#include "runtime/number_text.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace backtest::html {

namespace {

constexpr std::size_t longest_name = 80;
constexpr std::size_t longest_json_line = 96;

std::string one_line(const boost::json::value& tree) {
  std::string text;
  json_writer{text}.value(tree);
  return text;
}

void append_indented(std::string& out, const boost::json::value& tree, std::size_t depth) {
  auto line = one_line(tree);
  if (!tree.is_structured() || (depth > 0 && line.size() + 2 * depth <= longest_json_line)) {
    out += line;
    return;
  }
  const std::string indent(2 * depth + 2, ' ');
  bool is_first = true;
  const auto begin_item = [&] {
    out += is_first ? "\n" : ",\n";
    out += indent;
    is_first = false;
  };
  out += line.front();
  if (const auto* object = tree.if_object())
    for (const auto& [key, value] : *object) {
      begin_item();
      json_writer{out}.string(key);
      out += ": ";
      append_indented(out, value, depth + 1);
    }
  else
    for (const auto& value : tree.get_array()) {
      begin_item();
      append_indented(out, value, depth + 1);
    }
  if (!is_first)
    out += '\n' + std::string(2 * depth, ' ');
  out += line.back();
}

std::string with_groups(std::string digits) {
  const auto point = std::min(digits.find('.'), digits.size());
  const std::size_t first = digits.starts_with('-') ? 1 : 0;
  for (std::size_t at = point; at > first + 3;) {
    at -= 3;
    digits.insert(at, 1, ',');
  }
  return digits;
}

} // namespace

std::string escaped(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const auto c = static_cast<unsigned char>(text.front());
    const std::size_t length = utf8_length(text);
    if (length > 1)
      out += text.substr(0, length);
    else if (length == 0 || c == 0x7F || (c < 0x20 && c != '\n' && c != '\t'))
      out += replacement_character;
    else if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '"')
      out += "&quot;";
    else if (c == '\'')
      out += "&#39;";
    else
      out += text.front();
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out;
}

std::string shortened(std::string_view text, std::size_t bytes) {
  if (text.size() <= bytes)
    return std::string{text};
  std::size_t end = bytes;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U)
    --end;
  return std::string{text.substr(0, end)} + "\u2026";
}

std::string name(std::string_view text) {
  return "<bdi>" + escaped(shortened(text, longest_name)) + "</bdi>";
}

std::string script_data(std::string json) {
  std::string out;
  out.reserve(json.size());
  for (const char c : json) {
    if (c == '<')
      out += "\\u003c"; // no end of the script, no comment
    else if (c == '\x7F')
      out += "\\u007f";
    else
      out += c;
  }
  return out;
}

std::string indented_json(const boost::json::value& tree) {
  std::string out;
  append_indented(out, tree, 0);
  return out;
}

std::string section(std::string_view id, std::string_view title, std::string_view note,
                    const std::string& content) {
  return fmt::format(
      "<section id=\"{0}\" aria-labelledby=\"{0}-title\"><h2 id=\"{0}-title\">{1}</h2>"
      "{2}{3}</section>\n",
      id, title, note.empty() ? "" : fmt::format("<p class=\"note\">{}</p>", note), content);
}

std::string on_screen(std::string_view text) {
  return fmt::format("<span class=\"screen\">{}</span>", text);
}

std::string empty_state(std::string_view text) {
  return fmt::format("<p class=\"empty\">{}</p>", text);
}

std::string grouped(std::int64_t count) { return with_groups(fmt::format("{}", count)); }

std::string price(double value) {
  if (!std::isfinite(value))
    return std::string{not_available};
  const double size = std::abs(value);
  if (size < 0.01)
    return price_number(value);
  const int digits = size >= 1000 ? 2 : size >= 1 ? 4 : 6;
  return with_groups(fmt::format("{:.{}f}", value, digits));
}

std::string moment(instant when) {
  auto text = to_iso(when).substr(0, 19);
  text[10] = ' ';
  return text.ends_with(":00") ? text.substr(0, 16) : text;
}

std::string duration(double minutes) {
  if (!std::isfinite(minutes))
    return std::string{not_available};
  const auto whole = static_cast<std::int64_t>(std::llround(minutes));
  if (whole < 60)
    return fmt::format("{} min", whole);
  if (whole < 2 * 1440)
    return fmt::format("{} h {:02} min", whole / 60, whole % 60);
  return fmt::format("{} d {:02} h", whole / 1440, whole % 1440 / 60);
}

} // namespace backtest::html
