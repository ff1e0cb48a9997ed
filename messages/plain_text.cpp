#include "messages/plain_text.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <vector>

namespace backtest {

namespace {

constexpr std::size_t npos = std::string_view::npos;
constexpr std::string_view blanks = " \t\f\v";
/// Emphasis nested deeper than this stays as written; it bounds the recursion on hostile input.
constexpr int deepest_nesting = 16;
/// Longest label or target of a link, in bytes; bounds the search for brackets that nobody closes.
constexpr std::size_t longest_link_part = 2000;

bool is_blank(char c) noexcept { return blanks.find(c) != npos; }
bool is_space(char c) noexcept { return is_blank(c) || c == '\n'; }
bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
bool is_letter(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

std::string_view trimmed(std::string_view text) noexcept {
  while (!text.empty() && is_space(text.front()))
    text.remove_prefix(1);
  while (!text.empty() && is_space(text.back()))
    text.remove_suffix(1);
  return text;
}

/// How often `text` repeats the character at `from`.
std::size_t run_length(std::string_view text, std::size_t from) noexcept {
  const std::size_t end = text.find_first_not_of(text[from], from);
  return (end == npos ? text.size() : end) - from;
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  for (std::size_t from = 0; from <= text.size();) {
    const std::size_t end = std::min(text.find_first_of("\r\n", from), text.size());
    lines.push_back(text.substr(from, end - from));
    const bool pair = end + 1 < text.size() && text[end] == '\r' && text[end + 1] == '\n';
    from = end + (pair ? 2 : 1);
  }
  return lines;
}

// ---- inline marks
// --------------------------------------------------------------------------------

/// A mark opens where a word may begin and closes where one may end, so that products and names
/// with underscores stay whole.
bool may_precede_opening(char c) noexcept {
  return is_space(c) || std::string_view("([{\"'*_~>").find(c) != npos;
}
bool may_follow_closing(char c) noexcept {
  return is_space(c) || std::string_view(")]}\"'*_~<.,;:!?").find(c) != npos;
}

class inline_reader {
public:
  inline_reader(std::string_view text, int depth) : text_(text), depth_(depth) {}

  std::string read() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '\\' && at_ + 1 < text_.size())
        copy(2);
      else if (c == '`')
        read_code();
      else if (c == '<')
        read_tag();
      else if (c == '*' || c == '_' || c == '~')
        read_emphasis();
      else if (c == '[' || (c == '!' && at_ + 1 < text_.size() && text_[at_ + 1] == '['))
        read_link();
      else
        copy(1);
    }
    return std::move(out_);
  }

private:
  void copy(std::size_t count) {
    out_ += text_.substr(at_, count);
    at_ += count;
  }

  void read_code() {
    const std::size_t length = run_length(text_, at_);
    if (length > unclosed_code_.size() || unclosed_code_[length - 1])
      return copy(length);
    for (std::size_t i = text_.find('`', at_ + length); i != npos;) {
      const std::size_t closing = run_length(text_, i);
      if (closing == length) {
        out_ += trimmed(text_.substr(at_ + length, i - at_ - length));
        at_ = i + closing;
        return;
      }
      i = text_.find('`', i + closing);
    }
    unclosed_code_[length - 1] = true;
    copy(length);
  }

  /// Position after the tag or comment that starts here, if one does.
  std::optional<std::size_t> end_of_tag() {
    const std::string_view rest = text_.substr(at_);
    if (rest.starts_with("<!--")) {
      const std::size_t end = unclosed_comment_ ? npos : rest.find("-->", 4);
      unclosed_comment_ = end == npos;
      return unclosed_comment_ ? std::nullopt : std::optional(at_ + end + 3);
    }
    std::size_t name = rest.starts_with("</") || rest.starts_with("<!") ? 2 : 1;
    if (name >= rest.size() || !is_letter(rest[name]))
      return std::nullopt;
    const std::size_t end = rest.find_first_of("<>", name);
    if (end == npos || rest[end] == '<')
      return std::nullopt;
    if (rest[1] == '!')
      return at_ + end + 1;
    while (is_letter(rest[name]) || is_digit(rest[name]) || rest[name] == '-')
      ++name;
    // `<fast and slow>` is a comparison; what follows a tag's name are attributes.
    const std::string_view attributes = trimmed(rest.substr(name, end - name));
    const bool is_tag = attributes.empty() || attributes == "/" ||
                        (is_space(rest[name]) && attributes.find('=') != npos);
    return is_tag ? std::optional(at_ + end + 1) : std::nullopt;
  }

  void read_tag() {
    if (const auto end = end_of_tag())
      at_ = *end;
    else
      copy(1);
  }

  /// The next run of `length` marks that may close an emphasis whose text starts at `from`.
  std::size_t find_closing(char mark, std::size_t length, std::size_t from) const {
    for (std::size_t i = text_.find(mark, from); i != npos;) {
      const std::size_t found = run_length(text_, i);
      const std::size_t after = i + found;
      if (found == length && i > from && !is_space(text_[i - 1]) && text_[i - 1] != '\\' &&
          (after == text_.size() || may_follow_closing(text_[after])))
        return i;
      i = text_.find(mark, after);
    }
    return npos;
  }

  void read_emphasis() {
    const char mark = text_[at_];
    const std::size_t length = run_length(text_, at_);
    const std::size_t inside = at_ + length;
    const bool known_mark = mark == '~' ? length == 2 : length <= 3;
    const bool opens = known_mark && depth_ < deepest_nesting && inside < text_.size() &&
                       !is_space(text_[inside]) &&
                       (at_ == 0 || may_precede_opening(text_[at_ - 1]));
    if (!opens)
      return copy(length);
    bool& unclosed = unclosed_[(mark == '*' ? 0u : mark == '_' ? 3u : 6u) + length - 1];
    if (unclosed)
      return copy(length);
    const std::size_t end = find_closing(mark, length, inside);
    if (end == npos) {
      unclosed = true;
      return copy(length);
    }
    out_ += inline_reader(text_.substr(inside, end - inside), depth_ + 1).read();
    at_ = end + length;
  }

  /// Position of the bracket that closes the one at `from`.
  std::size_t matching(std::size_t from, char open, char close) const {
    const std::size_t end = std::min(text_.size(), from + longest_link_part);
    int depth = 0;
    for (std::size_t i = from; i < end; ++i) {
      if (text_[i] == '\\')
        ++i;
      else if (text_[i] == open)
        ++depth;
      else if (text_[i] == close && --depth == 0)
        return i;
    }
    return npos;
  }

  void read_link() {
    const std::size_t open = at_ + (text_[at_] == '!' ? 1 : 0);
    const std::size_t close = depth_ < deepest_nesting ? matching(open, '[', ']') : npos;
    const bool has_target = close != npos && close + 1 < text_.size() && text_[close + 1] == '(';
    const std::size_t end = has_target ? matching(close + 1, '(', ')') : npos;
    if (end == npos)
      return copy(open + 1 - at_);
    out_ += inline_reader(text_.substr(open + 1, close - open - 1), depth_ + 1).read();
    at_ = end + 1;
  }

  std::string_view text_;
  int depth_;
  std::size_t at_ = 0;
  std::string out_;
  // What was searched to the end in vain is not searched again: keeps the pass linear.
  std::array<bool, 3> unclosed_code_{};
  bool unclosed_comment_ = false;
  std::array<bool, 9> unclosed_{};
};

// ---- lines
// ---------------------------------------------------------------------------------------

/// Length of the backtick or tilde run that opens or closes fenced code, 0 when the line is no
/// fence.
std::size_t fence_length(std::string_view line) {
  const std::string_view text = trimmed(line);
  if (text.empty() || (text.front() != '`' && text.front() != '~'))
    return 0;
  const std::size_t length = run_length(text, 0);
  const bool is_inline = text.find('`', length) != npos;
  return length < 3 || is_inline ? 0 : length;
}

/// Index of the line that closes the fence at `opening`; absent when the text ends first.
std::optional<std::size_t> closing_fence(const std::vector<std::string_view>& lines,
                                         std::size_t opening) {
  const std::string_view mark = trimmed(lines[opening]);
  for (std::size_t i = opening + 1; i < lines.size(); ++i) {
    const std::string_view text = trimmed(lines[i]);
    if (fence_length(text) >= fence_length(mark) && text.front() == mark.front() &&
        run_length(text, 0) == text.size())
      return i;
  }
  return std::nullopt;
}

bool is_rule(std::string_view line) {
  const std::string_view text = trimmed(line);
  if (text.empty() || std::string_view("-*_").find(text.front()) == npos)
    return false;
  const auto marks = std::count(text.begin(), text.end(), text.front());
  return marks >= 3 && std::all_of(text.begin(), text.end(),
                                   [&](char c) { return c == text.front() || is_blank(c); });
}

/// Length of a leading mark that a blank (or the end of the line) must follow, 0 when there is
/// none.
std::size_t mark_length(std::string_view text, std::size_t length) {
  return length > 0 && (length == text.size() || is_blank(text[length])) ? length : 0;
}

std::size_t heading_length(std::string_view text) {
  const std::size_t length = text.starts_with('#') ? run_length(text, 0) : 0;
  return mark_length(text, length <= 6 ? length : 0);
}

std::size_t list_mark_length(std::string_view text) {
  if (!text.empty() && std::string_view("-*+").find(text.front()) != npos)
    return mark_length(text, 1);
  std::size_t digits = 0;
  while (digits < text.size() && is_digit(text[digits]))
    ++digits;
  const bool is_number = digits > 0 && digits <= 9 && digits < text.size() &&
                         (text[digits] == '.' || text[digits] == ')');
  return mark_length(text, is_number ? digits + 1 : 0);
}

/// `>= 30` and `>30` at the start of a line are comparisons.
bool is_quote(std::string_view text) {
  return text.starts_with('>') && (text.size() == 1 || (text[1] != '=' && !is_digit(text[1])));
}

/// The line without quote, heading and list marks.
std::string without_block_marks(std::string_view line) {
  std::string_view text = trimmed(line);
  while (is_quote(text))
    text = trimmed(text.substr(1));
  std::string bullet;
  if (const std::size_t length = list_mark_length(text)) {
    bullet = "• ";
    text = trimmed(text.substr(length));
  }
  if (const std::size_t length = heading_length(text))
    text = trimmed(text.substr(length));
  return bullet.append(text);
}

/// Paragraphs with their lines freed of block marks; fenced code and rules are gone.
std::vector<std::string> paragraphs_of(std::string_view markdown) {
  const std::vector<std::string_view> lines = lines_of(markdown);
  std::vector<std::string> paragraphs(1);
  bool may_be_fenced = true; // until a fence was found that nothing closes
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (fence_length(lines[i]) > 0) {
      const auto end = may_be_fenced ? closing_fence(lines, i) : std::nullopt;
      may_be_fenced = end.has_value();
      i = end.value_or(i);
      continue;
    }
    const std::string text = is_rule(lines[i]) ? "" : without_block_marks(lines[i]);
    std::string& last = paragraphs.back();
    if (!text.empty())
      last += last.empty() ? text : "\n" + text;
    else if (!last.empty())
      paragraphs.emplace_back();
  }
  return paragraphs;
}

/// Appends `text` with blanks squeezed and lines trimmed, lines joined by `line_separator`.
void append_squeezed(std::string& out, std::string_view text, char line_separator) {
  char pending = 0;
  for (const char c : text) {
    if (is_space(c)) {
      if (pending != line_separator)
        pending = c == '\n' ? line_separator : ' ';
      continue;
    }
    if (pending)
      out += pending;
    pending = 0;
    out += c;
  }
}

} // namespace

std::string plain_text(std::string_view markdown, line_breaks breaks) {
  const bool flat = breaks == line_breaks::flatten;
  std::string out;
  for (const std::string& paragraph : paragraphs_of(markdown)) {
    const std::string read = inline_reader(paragraph, 0).read();
    const std::string_view text = trimmed(read);
    if (text.empty())
      continue;
    if (!out.empty())
      out += flat ? " " : "\n\n";
    append_squeezed(out, text, flat ? ' ' : '\n');
  }
  return out;
}

} // namespace backtest
