#include "actors/sizing/quantity.hpp"
#include "runtime/runtime_core.hpp"

#include <fmt/format.h>

namespace backtest {

double runtime_core::position_size(const std::string& sizing, const std::string& symbol,
                                   const size_request& request) const {
  constexpr std::string_view source = "position_size";
  const auto schema = schemas.sizings.get(sizing, source);
  write_log(log_level::info, source, fmt::format("sizing {} on {}", sizing, symbol));
  const double quantity = quantity_of(*schema, request);
  if (auto thrown = tell_calculated(*schema, symbol, quantity, request)) {
    const calling_thread visit{system};
    reporter("sizing")({error_code::callback_failed, *std::move(thrown)});
  }
  return quantity;
}

} // namespace backtest
