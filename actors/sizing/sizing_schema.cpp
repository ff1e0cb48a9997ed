#include "actors/sizing/sizing_schema.hpp"

#include "messages/enum_names.hpp"

#include <array>

#include <fmt/format.h>

namespace backtest {

namespace {

constexpr std::array<std::string_view, 3> method_names{"fixed-percentage", "kelly-criterion",
                                                       "atr-based"};

sizing_method_type describe_method(sizing_method method, std::string note,
                                   std::vector<parameter_info> own) {
  sizing_method_type type{method, std::move(note), std::move(own)};
  const auto optional = [&](const char* name, const char* meaning) {
    type.parameters.push_back({name, "null", meaning});
  };
  optional("max_position_percentage", "no more than this percentage of the balance");
  optional("min_position_size", "no less than this quantity, unless that breaks the percentage");
  optional("max_position_size", "no more than this quantity");
  return type;
}

} // namespace

std::string_view to_string(sizing_method method) noexcept { return name_of(method_names, method); }

std::optional<sizing_method> parse_sizing_method(std::string_view text) noexcept {
  for (std::size_t i = 0; i < method_names.size(); ++i)
    if (method_names[i] == text)
      return static_cast<sizing_method>(i);
  return std::nullopt;
}

sizing_method method_of(const size_request& request) noexcept {
  static_assert(std::variant_size_v<size_request> == method_names.size());
  return static_cast<sizing_method>(request.index());
}

const std::vector<sizing_method_type>& sizing_method_types() {
  static const std::vector<sizing_method_type> types = [] {
    const sizing_schema defaults;
    const parameter_info risk{"risk_percentage", "", "percent of the balance put at risk"};
    return std::vector<sizing_method_type>{
        describe_method(sizing_method::fixed_percentage,
                        "the stop loss costs a fixed percentage of the balance", {risk}),
        describe_method(sizing_method::kelly_criterion,
                        "a fraction of what the Kelly criterion bets; 0 without an edge",
                        {{"kelly_multiplier", fmt::to_string(defaults.kelly_multiplier),
                          "fraction of the full Kelly size, 0 to 1"}}),
        describe_method(sizing_method::atr_based,
                        "a move of some average true ranges costs a fixed percentage",
                        {risk,
                         {"atr_multiplier", fmt::format("{}", defaults.atr_multiplier),
                          "stop distance in average true ranges"}})};
  }();
  return types;
}

} // namespace backtest
