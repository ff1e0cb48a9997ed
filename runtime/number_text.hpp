#pragma once

#include "messages/time.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace backtest {

/// How reports and tables print a figure that does not exist.
inline constexpr std::string_view not_available = "N/A";

/// The text with its unit behind it; N/A has none.
std::string with_unit(std::string text, std::string_view unit);

/// Fixed decimals; a value that rounds to zero has no sign. Not finite or absent: N/A.
std::string fixed_text(std::optional<double> value, int digits);
/// The same with `+` when the rounded value is above zero.
std::string signed_text(std::optional<double> value, int digits);
/// "12.34%", "+12.34%".
std::string percent_text(std::optional<double> value, int digits);
std::string signed_percent_text(std::optional<double> value, int digits);
/// 8 decimals; below 0.0001 as many as 8 significant digits take, but no zeros behind the eighth.
/// Not finite: N/A.
std::string price_number(double price);
/// "42000.50000000 USD", "0.0000012345678 USD"
std::string price_text(std::optional<double> price);
/// Minutes between two instants, two decimals; N/A when one is absent.
std::string minutes_text(std::optional<instant> from, std::optional<instant> to);
/// ISO 8601 in UTC, milliseconds when not zero; N/A when absent.
std::string time_text(std::optional<instant> when);

} // namespace backtest
