#include "actors/sizing/run_sizer.hpp"

#include "actors/sizing/quantity.hpp"
#include "messages/error.hpp"

#include <fmt/format.h>

namespace backtest {

double run_sizer::size(std::string_view symbol, std::string_view sizing_name,
                       const size_request& request) {
  if (sizings_)
    for (const auto& sizing : *sizings_)
      if (sizing.sizing_name == sizing_name) {
        const double quantity = quantity_of(sizing, request);
        if (auto thrown = tell_calculated(sizing, symbol, quantity, request))
          callback_errors_.push_back(*std::move(thrown));
        return quantity;
      }
  throw failure(error_code::not_found,
                fmt::format("sizing {} not found source=context.size", sizing_name));
}

} // namespace backtest
