#include "actors/runtime/run_status.hpp"

#include "messages/enum_names.hpp"

#include <array>

namespace backtest {

std::string_view to_string(run_state state) noexcept {
  constexpr std::array<std::string_view, 4> names{"ready", "pending", "fulfilled", "rejected"};
  return name_of(names, state);
}

} // namespace backtest
