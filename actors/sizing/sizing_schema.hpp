#pragma once

#include "messages/parameter_info.hpp"
#include "messages/position_size.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace backtest {

enum class sizing_method : std::uint8_t { fixed_percentage, kelly_criterion, atr_based };

/// How large a position may be. A helper for signal sources: the engine never calls it itself.
struct sizing_schema {
  std::string sizing_name;
  std::string note;
  sizing_method method = sizing_method::fixed_percentage;
  double risk_percentage = 0;        ///< percent of the balance put at risk, (0, 100]; fixed and atr
  double kelly_multiplier = 0.25;    ///< fraction of the full Kelly size, [0, 1]
  double atr_multiplier = 2;         ///< stop distance in average true ranges, > 0
  std::optional<double> max_position_percentage; ///< percent of the balance, (0, 100]
  std::optional<double> min_position_size;       ///< base units, >= 0
  std::optional<double> max_position_size;       ///< base units, >= 0, not below the minimum
  struct {
    /// After every quantity computed, with what was asked. From the thread that asks: several at a
    /// time. What it throws becomes an error event and does not spoil the quantity.
    std::function<void(std::string_view symbol, double quantity, const size_request& request)>
        on_calculate;
  } callbacks = {};
};

/// "fixed-percentage", "kelly-criterion", "atr-based".
std::string_view to_string(sizing_method method) noexcept;
std::optional<sizing_method> parse_sizing_method(std::string_view text) noexcept;
/// The method that a request is for.
sizing_method method_of(const size_request& request) noexcept;

/// One method as configuration files know it.
struct sizing_method_type {
  sizing_method method = sizing_method::fixed_percentage;
  std::string note;
  std::vector<parameter_info> parameters;
};

/// All methods, in the order of `sizing_method`.
const std::vector<sizing_method_type>& sizing_method_types();

} // namespace backtest
