#include "actors/sizing/quantity.hpp"

#include "messages/calling_place.hpp"
#include "messages/error.hpp"
#include "messages/thrown_text.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

namespace backtest {

namespace {

class formula {
public:
  explicit formula(const sizing_schema& sizing) : sizing_(sizing) {}

  double operator()(const fixed_percentage_size& in) const {
    check_account(in);
    require_positive("price_stop_loss", in.price_stop_loss);
    const double distance = std::fabs(in.price_open - in.price_stop_loss);
    require(distance > 0, "price_stop_loss must differ from price_open", in.price_stop_loss);
    return bounded(in, in.balance * sizing_.risk_percentage / 100 / distance);
  }

  double operator()(const kelly_criterion_size& in) const {
    check_account(in);
    require(in.win_rate > 0 && in.win_rate < 1, "win_rate must lie between 0 and 1, exclusive",
            in.win_rate);
    require_positive("win_loss_ratio", in.win_loss_ratio);
    const double edge = (in.win_rate * in.win_loss_ratio - (1 - in.win_rate)) / in.win_loss_ratio;
    return bounded(in, in.balance * std::max(0.0, edge) * sizing_.kelly_multiplier / in.price_open);
  }

  double operator()(const atr_based_size& in) const {
    check_account(in);
    require_positive("atr", in.atr);
    return bounded(in,
                   in.balance * sizing_.risk_percentage / 100 / (in.atr * sizing_.atr_multiplier));
  }

private:
  template <class Inputs>
  void check_account(const Inputs& in) const {
    require(std::isfinite(in.balance) && in.balance >= 0, "balance must be a non-negative number",
            in.balance);
    require_positive("price_open", in.price_open);
  }

  void require_positive(const char* field, double value) const {
    require(std::isfinite(value) && value > 0, fmt::format("{} must be a positive number", field),
            value);
  }

  void require(bool condition, std::string_view expected, double value) const {
    if (!condition)
      throw failure(error_code::invalid_argument,
                    fmt::format("sizing {}: {}, got {}", sizing_.sizing_name, expected, value));
  }

  template <class Inputs>
  double bounded(const Inputs& in, double quantity) const {
    constexpr double unlimited = std::numeric_limits<double>::infinity();
    if (quantity == 0) // a minimum must not open what has no edge
      return 0;
    const double share = sizing_.max_position_percentage
                             ? in.balance * *sizing_.max_position_percentage / 100 / in.price_open
                             : unlimited;
    const double least = sizing_.min_position_size.value_or(0);
    if (least > share)
      return 0;
    const double most = sizing_.max_position_size.value_or(unlimited);
    const double result = std::min(std::max(std::min(quantity, share), least), most);
    require(std::isfinite(result), "the quantity must be a finite number", result);
    return result;
  }

  const sizing_schema& sizing_;
};

} // namespace

double quantity_of(const sizing_schema& sizing, const size_request& request) {
  if (method_of(request) != sizing.method)
    throw failure(error_code::invalid_argument,
                  fmt::format("sizing {}: method mismatch: it is {}, asked for {}",
                              sizing.sizing_name, to_string(sizing.method),
                              to_string(method_of(request))));
  return std::visit(formula{sizing}, request);
}

std::optional<std::string> tell_calculated(const sizing_schema& sizing, std::string_view symbol,
                                           double quantity, const size_request& request) {
  const auto& callback = sizing.callbacks.on_calculate;
  if (!callback)
    return std::nullopt;
  const place_mark inside{calling_place::sizing, nullptr, sizing.sizing_name};
  const auto thrown = thrown_text([&] { callback(symbol, quantity, request); });
  if (!thrown)
    return std::nullopt;
  return fmt::format("sizing {}: on_calculate threw: {}", sizing.sizing_name, *thrown);
}

} // namespace backtest
