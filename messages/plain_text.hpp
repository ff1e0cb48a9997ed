#pragma once

#include <string>
#include <string_view>

namespace backtest {

/// What becomes of line breaks: everything on one line (notes), or lines and paragraphs kept
/// (prompts).
enum class line_breaks : unsigned char { flatten, keep };

/// The words of a markdown text without its marks: fenced code is dropped, inline code, emphasis
/// and links keep their text, images their alternative text, list marks become "• ". Comparisons
/// and products such as `a < b`, `my_var_name` and `2*3*4` are left alone. Blanks are squeezed,
/// ends trimmed.
std::string plain_text(std::string_view markdown, line_breaks breaks = line_breaks::flatten);

} // namespace backtest
