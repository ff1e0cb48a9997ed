#pragma once

#include "messages/time.hpp"

#include <chrono>
#include <optional>
#include <string_view>

namespace backtest {

/// How long a Retry-After header asks to wait from `now` on: seconds ("120") or a date
/// ("Wed, 21 Oct 2015 07:28:00 GMT"; none left when it has passed). Nothing for any other text,
/// the obsolete date formats included.
std::optional<std::chrono::milliseconds> parse_retry_after(std::string_view text,
                                                           instant now) noexcept;

} // namespace backtest
