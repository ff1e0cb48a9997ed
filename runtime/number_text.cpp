#include "runtime/number_text.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace backtest {

namespace {

bool is_shown(const std::optional<double>& value) noexcept {
  return value && std::isfinite(*value);
}

/// "-0.00" is what rounding makes of small losses.
bool rounds_to_zero(std::string_view text) noexcept {
  return text.find_first_of("123456789") == std::string_view::npos;
}

} // namespace

std::string with_unit(std::string text, std::string_view unit) {
  return text == not_available ? text : text.append(unit);
}

std::string fixed_text(std::optional<double> value, int digits) {
  if (!is_shown(value))
    return std::string(not_available);
  std::string text = fmt::format("{:.{}f}", *value, digits);
  if (text.front() == '-' && rounds_to_zero(text))
    text.erase(0, 1);
  return text;
}

std::string signed_text(std::optional<double> value, int digits) {
  std::string text = fixed_text(value, digits);
  if (is_shown(value) && text.front() != '-' && !rounds_to_zero(text))
    text.insert(0, 1, '+');
  return text;
}

std::string percent_text(std::optional<double> value, int digits) {
  return with_unit(fixed_text(value, digits), "%");
}

std::string signed_percent_text(std::optional<double> value, int digits) {
  return with_unit(signed_text(value, digits), "%");
}

std::string price_number(double price) {
  constexpr int usual_digits = 8, significant_digits = 8;
  constexpr double small_price = 0.0001;
  if (!std::isfinite(price) || price == 0 || std::abs(price) >= small_price)
    return fixed_text(price, usual_digits);
  const int digits =
      significant_digits - 1 - static_cast<int>(std::floor(std::log10(std::abs(price))));
  auto text = fixed_text(price, digits);
  const auto usual_length = text.find('.') + 1 + usual_digits;
  text.erase(std::max(text.find_last_not_of('0') + 1, usual_length));
  return text;
}

std::string price_text(std::optional<double> price) {
  return price ? with_unit(price_number(*price), " USD") : std::string(not_available);
}

std::string minutes_text(std::optional<instant> from, std::optional<instant> to) {
  if (!from || !to)
    return std::string(not_available);
  return fixed_text(static_cast<double>(*to - *from) / static_cast<double>(minute_ms), 2);
}

std::string time_text(std::optional<instant> when) {
  return when ? to_iso(*when) : std::string(not_available);
}

} // namespace backtest
