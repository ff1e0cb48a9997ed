#pragma once

#include "messages/time.hpp"

#include <optional>
#include <string>
#include <string_view>

#include <boost/json/value.hpp>

namespace backtest::html {

/// Text as it may stand in an element or a quoted attribute; control characters and bytes that are
/// not UTF-8 become U+FFFD.
std::string escaped(std::string_view text);

/// A name given by a user: escaped, cut when very long, and isolated so that its writing direction
/// does not reach the words around it.
std::string name(std::string_view text);

/// The first characters of a text, at most `bytes` of them and never half of one.
std::string shortened(std::string_view text, std::size_t bytes);

/// JSON as it may stand in a script element.
std::string script_data(std::string json);

/// JSON over several lines; what is short stays on one.
std::string indented_json(const boost::json::value& tree);

/// A part of the page with its heading, a note below it when there is one, and content.
std::string section(std::string_view id, std::string_view title, std::string_view note,
                    const std::string& content);
/// What a page of paper cannot do, in a note.
std::string on_screen(std::string_view text);
/// Says that there is nothing to show.
std::string empty_state(std::string_view text);

/// "1,234,567"
std::string grouped(std::int64_t count);

/// A price with as many digits as its size asks for: "43,210.50", "0.00001234".
std::string price(double value);

/// "2024-03-01 12:30", UTC, seconds only when there are any.
std::string moment(instant when);

/// "3 h 20 min"
std::string duration(double minutes);

} // namespace backtest::html
