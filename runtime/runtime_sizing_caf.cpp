#include "runtime/runtime_core.hpp"

#include <fmt/format.h>

namespace backtest {

double runtime_core::position_size(const std::string& sizing, const std::string& symbol,
                                   const size_request& request) const {
  constexpr std::string_view source = "position_size";
  schemas.sizings.get(sizing, source);
  write_log(log_level::info, source, fmt::format("sizing {} on {}", sizing, symbol));
  const auto gone = [](const caf::error& reason) {
    throw failure(error_code::actor_failed, "a sizing client is gone: " + text_of(reason));
  };
  const calling_thread visit{system};
  caf::scoped_actor self{system};
  resolved<sizing_actor> found;
  ::backtest::request(self, clients.sizings, caf::infinite, resolve<sizing_key>{{sizing}})
      .receive([&](const resolved<sizing_actor>& answer) { found = answer; }, gone);
  if (found.problem)
    throw failure(*found.problem);
  sized_position sized;
  ::backtest::request(self, found.client, caf::infinite, ask_position_size{symbol, request})
      .receive([&](const sized_position& answer) { sized = answer; }, gone);
  if (sized.problem)
    throw failure(*sized.problem);
  return sized.quantity;
}

} // namespace backtest
