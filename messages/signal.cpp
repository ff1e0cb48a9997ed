#include "messages/signal.hpp"

namespace backtest {

std::string_view to_string(position_side side) noexcept {
  return side == position_side::long_side ? "long" : "short";
}

std::string_view to_string(run_mode mode) noexcept {
  return mode == run_mode::backtest ? "backtest" : "live";
}

std::optional<position_side> parse_position_side(std::string_view text) noexcept {
  if (text == "long")
    return position_side::long_side;
  if (text == "short")
    return position_side::short_side;
  return std::nullopt;
}

std::optional<run_mode> parse_run_mode(std::string_view text) noexcept {
  if (text == "backtest")
    return run_mode::backtest;
  if (text == "live")
    return run_mode::live;
  return std::nullopt;
}

} // namespace backtest
