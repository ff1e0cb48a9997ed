#pragma once

#include <string_view>

namespace backtest::html {

/// What the page looks like: light and dark, wide and narrow, on paper.
extern const std::string_view style_sheet;

/// Tooltips and zoom of charts, sorting and filtering of trades. The page can be read without it.
extern const std::string_view script;

} // namespace backtest::html
