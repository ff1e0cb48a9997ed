// A plugin: a strategy type "breakout" that configuration files may name, and a complete strategy
// "breakout_hourly" for --strategy.

#include "messages/json_reader.hpp"
#include "runtime/plugin.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace {

using namespace backtest;

struct breakout_parameters {
  std::int64_t window = 24;
  double take_profit = 0.02;
  double stop_loss = 0.01;
};

/// Long when the last close is above every high before it in the window, short below every low.
signal_function make_breakout(const breakout_parameters& p, interval size) {
  return [p, size](const run_context& context) -> std::optional<signal_request> {
    const auto candles = context.candles(size, p.window);
    const auto before = candles.first(candles.size() - 1);
    const double close = candles.back().close;
    double highest = before.front().high;
    double lowest = before.front().low;
    for (const candle& item : before) {
      highest = std::max(highest, item.high);
      lowest = std::min(lowest, item.low);
    }
    if (close <= highest && close >= lowest)
      return std::nullopt;
    const double way = close > highest ? 1 : -1;
    const double price = context.average_price();
    signal_request request;
    request.position = way > 0 ? position_side::long_side : position_side::short_side;
    request.price_take_profit = price * (1 + way * p.take_profit);
    request.price_stop_loss = price * (1 - way * p.stop_loss);
    return request;
  };
}

strategy_type breakout_type() {
  const breakout_parameters defaults;
  strategy_type type;
  type.name = "breakout";
  type.note = "the last close leaves the range of the candles before it";
  type.default_interval = interval::h1;
  type.parameters = {
      {"window", fmt::to_string(defaults.window), "candles of the range, at least 2"},
      {"take_profit", fmt::to_string(defaults.take_profit), "distance, a fraction"},
      {"stop_loss", fmt::to_string(defaults.stop_loss), "distance, a fraction"}};
  type.make = [known = type.parameters](const boost::json::object& params, interval size) {
    const boost::json::value document(params);
    const json_reader in{document};
    allow_only(in, known);
    breakout_parameters p;
    p.window = in.integer_or("window", p.window);
    p.take_profit = in.number_or("take_profit", p.take_profit);
    p.stop_loss = in.number_or("stop_loss", p.stop_loss);
    if (p.window < 2)
      in.fail_at("window", fmt::format("expected an integer >= 2, got {}", p.window));
    return make_breakout(p, size);
  };
  return type;
}

} // namespace

std::uint32_t backtest_plugin_abi() { return plugin_abi_version; }

void backtest_plugin_register(runtime& target) {
  target.types().add_strategy_type(breakout_type());
  strategy_schema hourly;
  hourly.strategy_name = "breakout_hourly";
  hourly.note = "breakout with its defaults";
  hourly.size = interval::h1;
  hourly.get_signal = make_breakout({}, interval::h1);
  target.add_strategy(std::move(hourly));
}
