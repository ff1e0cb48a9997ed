#pragma once

#include <exception>
#include <optional>
#include <string>

namespace backtest {

/// Calls what a user wrote. The text of what it threw; nothing when it returned.
template <class Call> std::optional<std::string> thrown_text(Call&& call) {
  try {
    call();
    return std::nullopt;
  } catch (const std::exception& caught) {
    return caught.what();
  } catch (...) {
    return "something that is not a std::exception";
  }
}

} // namespace backtest
