#pragma once

#include "messages/caf.hpp"
#include "messages/json_text.hpp"

#include <exception>
#include <string_view>

// How values travel between processes: as their JSON text, see messages/caf.hpp.

namespace backtest {

/// False: the text is not that of such a value, and `value` is unchanged. What another process
/// sends is never a reason to throw.
template <class T> bool read_json_text(std::string_view text, T& value) {
  try {
    value = from_json_text<T>(text);
    return true;
  } catch (const std::exception&) { // NOLINT: the caller turns it into an error of the message
    return false;
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
