#include "messages/json.hpp"

#include "messages/utf8.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <vector>

#include <boost/json/basic_parser_impl.hpp>
#include <fmt/format.h>

namespace backtest {

namespace {

namespace bj = boost::json;

template <class Number>
bool read_all(bj::string_view digits, Number& value) {
  const char* end = digits.data() + digits.size();
  const auto result = std::from_chars(digits.data(), end, value);
  return result.ec == std::errc{} && result.ptr == end;
}

/// Builds the tree from the parser's calls. Boost's own handler takes the parser's approximate
/// doubles and lets the last of two equal keys win.
class tree_builder {
public:
  static constexpr std::size_t max_object_size = bj::object::max_size();
  static constexpr std::size_t max_array_size = bj::array::max_size();
  static constexpr std::size_t max_key_size = bj::string::max_size();
  static constexpr std::size_t max_string_size = bj::string::max_size();

  bj::value root;
  std::string problem; ///< why the builder stopped the parser, "" when it did not

  bool on_document_begin(bj::error_code&) { return true; }
  bool on_document_end(bj::error_code&) { return true; }
  bool on_object_begin(bj::error_code&) { return open(bj::object{}); }
  bool on_object_end(std::size_t, bj::error_code&) { return close(); }
  bool on_array_begin(bj::error_code&) { return open(bj::array{}); }
  bool on_array_end(std::size_t, bj::error_code&) { return close(); }

  bool on_key_part(bj::string_view part, std::size_t, bj::error_code&) { return collect(part); }
  bool on_key(bj::string_view part, std::size_t, bj::error_code& ec) {
    collect(part);
    auto& frame = open_.back();
    frame.key.swap(text_);
    text_.clear();
    if (frame.container.get_object().contains(frame.key))
      return stop(ec, fmt::format("duplicate key \"{}\"", frame.key));
    return true;
  }
  bool on_string_part(bj::string_view part, std::size_t, bj::error_code&) { return collect(part); }
  bool on_string(bj::string_view part, std::size_t, bj::error_code&) {
    collect(part);
    bj::value value(bj::string(text_.data(), text_.size()));
    text_.clear();
    return add(std::move(value));
  }

  bool on_number_part(bj::string_view, bj::error_code&) { return true; }
  bool on_int64(std::int64_t, bj::string_view digits, bj::error_code& ec) {
    return number(digits, ec);
  }
  bool on_uint64(std::uint64_t, bj::string_view digits, bj::error_code& ec) {
    return number(digits, ec);
  }
  bool on_double(double, bj::string_view digits, bj::error_code& ec) { return number(digits, ec); }
  bool on_bool(bool value, bj::error_code&) { return add(value); }
  bool on_null(bj::error_code&) { return add(nullptr); }
  bool on_comment_part(bj::string_view, bj::error_code&) { return true; }
  bool on_comment(bj::string_view, bj::error_code&) { return true; }

private:
  struct open_container {
    bj::value container;
    std::string key; ///< of the member being read
  };

  bool stop(bj::error_code& ec, std::string why) {
    problem = std::move(why);
    ec = bj::error::syntax;
    return false;
  }

  bool collect(bj::string_view part) {
    text_.append(part.data(), part.size());
    return true;
  }

  bool open(bj::value container) {
    open_.push_back({std::move(container), {}});
    return true;
  }

  bool close() {
    bj::value finished = std::move(open_.back().container);
    open_.pop_back();
    return add(std::move(finished));
  }

  bool add(bj::value value) {
    if (open_.empty())
      root = std::move(value);
    else if (auto* list = open_.back().container.if_array())
      list->push_back(std::move(value));
    else
      open_.back().container.get_object().emplace(open_.back().key, std::move(value));
    return true;
  }

  bool number(bj::string_view digits, bj::error_code& ec) {
    std::int64_t whole = 0;
    std::uint64_t large = 0;
    double real = 0;
    // An integer has no sign of zero.
    if (digits != "-0" && read_all(digits, whole))
      return add(whole);
    if (digits.front() != '-' && read_all(digits, large))
      return add(large);
    if (read_all(digits, real))
      return add(real);
    return stop(ec, fmt::format("the number {} does not fit a double",
                                std::string_view{digits.data(), digits.size()}));
  }

  std::vector<open_container> open_;
  std::string text_; ///< of the string or key being read
};

[[noreturn]] void fail_at(std::string_view text, std::size_t offset, std::string_view what,
                          error_code code) {
  const auto before = text.substr(0, std::min(offset, text.size()));
  std::size_t line = 1;
  std::size_t column = 1;
  for (char c : before) {
    ++column;
    if (c == '\n') {
      ++line;
      column = 1;
    }
  }
  throw failure(code, fmt::format("line {}, column {}: {}", line, column, what));
}

} // namespace

bj::value parse_json(std::string_view text, error_code code) {
  bj::parse_options options;
  options.max_depth = max_json_depth;
  bj::basic_parser<tree_builder> parser{options};
  bj::error_code ec;
  const std::size_t read = parser.write_some(false, text.data(), text.size(), ec);
  if (ec) {
    const auto& problem = parser.handler().problem;
    fail_at(text, read, problem.empty() ? ec.message() : problem, code);
  }
  if (read < text.size())
    fail_at(text, read, "expected the end of the text after the JSON value", code);
  return std::move(parser.handler().root);
}

namespace {

void append_escaped(std::string& out, char c) {
  constexpr std::string_view digits = "0123456789abcdef";
  switch (c) {
  case '"': out += "\\\""; break;
  case '\\': out += "\\\\"; break;
  case '\n': out += "\\n"; break;
  case '\r': out += "\\r"; break;
  case '\t': out += "\\t"; break;
  default:
    out += "\\u00";
    out += digits[static_cast<unsigned char>(c) >> 4U];
    out += digits[static_cast<unsigned char>(c) & 15U];
  }
}

bool is_copied_as_it_is(char c) noexcept {
  const auto code = static_cast<unsigned char>(c);
  return code >= 0x20 && code < 0x80 && c != '"' && c != '\\';
}

/// Whether all of eight characters are copied as they are: looked at together, as texts are what most
/// of an event line is.
bool are_copied_as_they_are(const char* eight) noexcept {
  constexpr std::uint64_t ones = 0x0101010101010101, high_bits = 0x8080808080808080;
  std::uint64_t bytes = 0;
  std::memcpy(&bytes, eight, sizeof bytes);
  const auto has_zero = [](std::uint64_t word) { return (word - ones) & ~word; };
  const auto below_space = (bytes - ones * ' ') & ~bytes;
  return ((bytes | below_space | has_zero(bytes ^ (ones * '"')) | has_zero(bytes ^ (ones * '\\'))) &
          high_bits) == 0;
}

/// Where the first character is that is not copied as it is, from `at` on.
std::size_t end_of_plain(std::string_view text, std::size_t at) noexcept {
  while (at + 8 <= text.size() && are_copied_as_they_are(text.data() + at))
    at += 8;
  while (at < text.size() && is_copied_as_it_is(text[at]))
    ++at;
  return at;
}

void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  std::size_t plain = 0; // start of the stretch that can be copied as it is
  std::size_t at = 0;
  const auto flush = [&] { out.append(text.substr(plain, at - plain)); };
  while (at < text.size()) {
    // By far the usual stretch is all there is.
    at = end_of_plain(text, at);
    if (at == text.size())
      break;
    if (static_cast<unsigned char>(text[at]) >= 0x80) {
      if (const std::size_t length = utf8_length(text.substr(at)); length != 0) {
        at += length;
        continue;
      }
      flush();
      out += replacement_character;
    } else {
      flush();
      append_escaped(out, text[at]);
    }
    plain = ++at;
  }
  flush();
  out += '"';
}

/// Most texts are short and copied as they are, so they go with what stands around them at once.
bool append_short(std::string& out, std::string_view before, std::string_view text,
                  std::string_view after) {
  constexpr std::size_t longest = 40;
  if (text.size() > longest || end_of_plain(text, 0) != text.size())
    return false;
  char all[longest + 4]; // two quotes, and at most one character before and after them
  char* end = std::copy(before.begin(), before.end(), all);
  *end++ = '"';
  end = std::copy(text.begin(), text.end(), end);
  *end++ = '"';
  end = std::copy(after.begin(), after.end(), end);
  out.append(all, end);
  return true;
}

template <class... Arguments>
void append_chars(std::string& out, Arguments... arguments) {
  char digits[32];
  const auto result = std::to_chars(digits, digits + sizeof digits, arguments...);
  out.append(digits, result.ptr);
}

} // namespace

void append_number(std::string& out, double value) {
  constexpr double exact_integers = 9007199254740992.0; // 2^53
  if (!std::isfinite(value))
    out += "null";
  else if (value == 0)
    out += std::signbit(value) ? "-0" : "0";
  else if (std::trunc(value) != value || std::abs(value) >= 1e21)
    append_chars(out, value);
  else if (std::abs(value) < exact_integers)
    append_chars(out, static_cast<std::int64_t>(value));
  else
    append_chars(out, value, std::chars_format::fixed);
}

std::string number_text(double value) {
  std::string text;
  append_number(text, value);
  return text;
}

void json_writer::separate() {
  if (comma_due_)
    *out_ += ',';
  comma_due_ = true;
}

json_writer& json_writer::open(char bracket) {
  separate();
  *out_ += bracket;
  comma_due_ = false;
  return *this;
}

json_writer& json_writer::close(char bracket) {
  *out_ += bracket;
  comma_due_ = true;
  return *this;
}

json_writer& json_writer::key(std::string_view name) {
  if (!append_short(*out_, comma_due_ ? "," : "", name, ":")) {
    separate();
    append_quoted(*out_, name);
    *out_ += ':';
  }
  comma_due_ = false;
  return *this;
}

json_writer& json_writer::string(std::string_view text) {
  if (!append_short(*out_, comma_due_ ? "," : "", text, "")) {
    separate();
    append_quoted(*out_, text);
  }
  comma_due_ = true;
  return *this;
}

json_writer& json_writer::integer(std::int64_t value) {
  separate();
  append_chars(*out_, value);
  return *this;
}

json_writer& json_writer::number(double value) {
  separate();
  append_number(*out_, value);
  return *this;
}

json_writer& json_writer::boolean(bool value) { return raw(value ? "true" : "false"); }

json_writer& json_writer::null() { return raw("null"); }

json_writer& json_writer::raw(std::string_view json) {
  separate();
  out_->append(json);
  return *this;
}

json_writer& json_writer::value(const bj::value& tree) {
  switch (tree.kind()) {
  case bj::kind::null: return null();
  case bj::kind::bool_: return boolean(tree.get_bool());
  case bj::kind::int64: return integer(tree.get_int64());
  case bj::kind::uint64:
    separate();
    append_chars(*out_, tree.get_uint64());
    return *this;
  case bj::kind::double_: return number(tree.get_double());
  case bj::kind::string: return string(tree.get_string());
  case bj::kind::array:
    begin_array();
    for (const auto& item : tree.get_array())
      value(item);
    return end_array();
  case bj::kind::object:
    begin_object();
    for (const auto& member : tree.get_object())
      key(member.key()).value(member.value());
    return end_object();
  }
  return *this;
}

} // namespace backtest
