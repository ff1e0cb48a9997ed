#pragma once

#include "messages/caf.hpp"
#include "messages/json_text.hpp"

#include <exception>
#include <optional>
#include <string>
#include <string_view>

// How values travel between processes: as their JSON text, see messages/caf.hpp.

namespace backtest {

/// Why the text is not that of such a value; nothing when it is. What another process sends is never
/// a reason to throw: `value` is unchanged then.
template <class T>
std::optional<std::string> read_json_text(std::string_view text, T& value) {
  try {
    value = from_json_text<T>(text);
    return std::nullopt;
  } catch (const std::exception& caught) {
    return caught.what();
  }
}

BACKTEST_INSPECT_AS_JSON(candle)
BACKTEST_INSPECT_AS_JSON(candle_series)
BACKTEST_INSPECT_AS_JSON(signal_request)
BACKTEST_INSPECT_AS_JSON(signal_row)
BACKTEST_INSPECT_AS_JSON(run_identity)
BACKTEST_INSPECT_AS_JSON(configuration)
BACKTEST_INSPECT_AS_JSON(event)

} // namespace backtest
