#include "actors/strategy/built_in_strategies.hpp"

#include "messages/json_reader.hpp"

#include <cmath>

#include <fmt/format.h>

namespace backtest {

namespace {

[[noreturn]] void refuse(std::string_view name, std::string_view expected, std::string_view got) {
  throw json_failure(error_code::invalid_configuration, std::string{name},
                     fmt::format("expected {}, got {}", expected, got));
}

void require_positive(std::string_view name, std::int64_t value) {
  if (value < 1)
    refuse(name, "an integer >= 1", fmt::to_string(value));
}

/// A distance from the price; at 1 a price would be zero.
void require_distance(std::string_view name, double value) {
  if (!(value > 0 && value < 1))
    refuse(name, "a number above 0 and below 1", number_text(value));
}

template <class Parameters>
void require_bracket(const Parameters& p) {
  require_distance("take_profit", p.take_profit);
  require_distance("stop_loss", p.stop_loss);
  require_positive("minutes", p.minutes);
}

/// Take profit and stop loss at fractions `tp` and `sl` around `base`.
signal_request bracket(position_side side, double base, double tp, double sl) {
  const bool is_long = side == position_side::long_side;
  signal_request request;
  request.position = side;
  request.price_take_profit = is_long ? base * (1 + tp) : base * (1 - tp);
  request.price_stop_loss = is_long ? base * (1 - sl) : base * (1 + sl);
  return request;
}

/// Long in even UTC hours, short in odd ones.
position_side side_of_hour(instant when) noexcept {
  return hour_of_day(when) % 2 == 0 ? position_side::long_side : position_side::short_side;
}

/// Means of the `length` closes that end at the last candle and one candle earlier.
struct two_means {
  double now;
  double before;
};

two_means mean_closes(std::span<const candle> candles, std::size_t length) noexcept {
  // Both windows are summed afresh, oldest first: a rolling sum would round differently.
  const candle* first = candles.data() + (candles.size() - length);
  double now = 0;
  double before = 0;
  for (std::size_t i = 0; i < length; ++i) {
    now += first[i].close;
    before += first[static_cast<std::ptrdiff_t>(i) - 1].close;
  }
  const auto count = static_cast<double>(length);
  return {now / count, before / count};
}

template <class Make>
strategy_type describe_type(std::string name, std::string note, interval size,
                            std::vector<parameter_info> parameters, Make make) {
  strategy_type type{std::move(name), std::move(note), size, std::move(parameters), {}};
  type.make = [known = type.parameters, make](const boost::json::object& params,
                                              interval candles) -> signal_function {
    const boost::json::value document(params); // braces would make an array of it
    const json_reader in{document};
    allow_only(in, known);
    return make(in, candles);
  };
  return type;
}

template <class Parameters>
void read_bracket(const json_reader& in, Parameters& p) {
  p.take_profit = in.number_or("take_profit", p.take_profit);
  p.stop_loss = in.number_or("stop_loss", p.stop_loss);
  p.minutes = in.integer_or("minutes", p.minutes);
}

template <class Parameters>
void describe_bracket(std::vector<parameter_info>& infos, const Parameters& defaults) {
  infos.push_back({"take_profit", number_text(defaults.take_profit), "distance, a fraction"});
  infos.push_back({"stop_loss", number_text(defaults.stop_loss), "distance, a fraction"});
  infos.push_back({"minutes", fmt::to_string(defaults.minutes), "lifetime of a signal"});
}

strategy_type sma_cross_type() {
  const sma_cross_parameters defaults;
  std::vector<parameter_info> infos{
      {"window", fmt::to_string(defaults.window), "candles asked for, at least slow + 1"},
      {"fast", fmt::to_string(defaults.fast), "candles of the fast mean, below slow"},
      {"slow", fmt::to_string(defaults.slow), "candles of the slow mean"}};
  describe_bracket(infos, defaults);
  return describe_type("sma_cross", "two moving averages of the closes cross", interval::m15,
                       std::move(infos), [](const json_reader& in, interval size) {
                         sma_cross_parameters p;
                         p.window = in.integer_or("window", p.window);
                         p.fast = in.integer_or("fast", p.fast);
                         p.slow = in.integer_or("slow", p.slow);
                         read_bracket(in, p);
                         return make_sma_cross(p, size);
                       });
}

strategy_type pullback_limit_type() {
  const pullback_limit_parameters defaults;
  std::vector<parameter_info> infos{
      {"window", fmt::to_string(defaults.window), "candles the change is measured over"},
      {"threshold", number_text(defaults.threshold), "least change, a fraction"},
      {"offset", number_text(defaults.offset), "distance of the entry from the price, a fraction"}};
  describe_bracket(infos, defaults);
  return describe_type("pullback_limit", "after a move, enter with it on a pullback", interval::m5,
                       std::move(infos), [](const json_reader& in, interval size) {
                         pullback_limit_parameters p;
                         p.window = in.integer_or("window", p.window);
                         p.threshold = in.number_or("threshold", p.threshold);
                         p.offset = in.number_or("offset", p.offset);
                         read_bracket(in, p);
                         return make_pullback_limit(p, size);
                       });
}

strategy_type time_grid_type() {
  const time_grid_parameters defaults;
  std::vector<parameter_info> infos;
  describe_bracket(infos, defaults);
  return describe_type("time_grid", "long in even UTC hours, short in odd ones", interval::h1,
                       std::move(infos), [](const json_reader& in, interval) {
                         time_grid_parameters p;
                         read_bracket(in, p);
                         return make_time_grid(p);
                       });
}

} // namespace

signal_function make_sma_cross(const sma_cross_parameters& p, interval size) {
  require_positive("fast", p.fast);
  require_positive("slow", p.slow);
  if (p.fast >= p.slow)
    refuse("fast", fmt::format("less than slow ({})", p.slow), fmt::to_string(p.fast));
  if (p.window <= p.slow)
    refuse("window", fmt::format("at least slow + 1, with slow {}", p.slow),
           fmt::to_string(p.window));
  require_bracket(p);
  return [p, size](const run_context& context) -> std::optional<signal_request> {
    const auto candles = context.candles(size, p.window);
    const auto fast = mean_closes(candles, static_cast<std::size_t>(p.fast));
    const auto slow = mean_closes(candles, static_cast<std::size_t>(p.slow));
    const bool up = fast.before <= slow.before && fast.now > slow.now;
    const bool down = fast.before >= slow.before && fast.now < slow.now;
    if (!up && !down)
      return std::nullopt;
    auto request = bracket(up ? position_side::long_side : position_side::short_side,
                           context.average_price(), p.take_profit, p.stop_loss);
    request.minute_estimated_time = p.minutes;
    return request;
  };
}

signal_function make_pullback_limit(const pullback_limit_parameters& p, interval size) {
  require_positive("window", p.window);
  if (!(p.threshold >= 0 && std::isfinite(p.threshold)))
    refuse("threshold", "a number >= 0", number_text(p.threshold));
  if (!(p.offset >= 0 && p.offset < 1))
    refuse("offset", "a number from 0 to below 1", number_text(p.offset));
  require_bracket(p);
  return [p, size](const run_context& context) -> std::optional<signal_request> {
    const auto candles = context.candles(size, p.window);
    const double change = candles.back().close / candles.front().close - 1;
    const bool up = change > p.threshold;
    if (!up && !(change < -p.threshold))
      return std::nullopt;
    const double price = context.average_price();
    const double price_open = up ? price * (1 - p.offset) : price * (1 + p.offset);
    auto request = bracket(up ? position_side::long_side : position_side::short_side, price_open,
                           p.take_profit, p.stop_loss);
    request.price_open = price_open;
    request.minute_estimated_time = p.minutes;
    return request;
  };
}

signal_function make_time_grid(const time_grid_parameters& p) {
  require_bracket(p);
  return [p](const run_context& context) -> std::optional<signal_request> {
    auto request =
        bracket(side_of_hour(context.when()), context.average_price(), p.take_profit, p.stop_loss);
    request.minute_estimated_time = p.minutes;
    return request;
  };
}

signal_function make_marketable_limit() {
  return [](const run_context& context) -> std::optional<signal_request> {
    constexpr double offset = 0.001;
    constexpr double take_profit = 0.02;
    // The small distance lies below min_stoploss_distance_percent: validation must refuse it.
    const double stop_loss = hour_of_day(context.when()) % 5 == 0 ? 0.004 : 0.015;
    const double price = context.average_price();
    const auto side = side_of_hour(context.when());
    const double price_open =
        side == position_side::long_side ? price * (1 + offset) : price * (1 - offset);
    auto request = bracket(side, price_open, take_profit, stop_loss);
    request.price_open = price_open;
    return request;
  };
}

signal_function make_never() {
  return [](const run_context&) -> std::optional<signal_request> { return std::nullopt; };
}

std::vector<strategy_type> built_in_strategy_types() {
  return {sma_cross_type(), pullback_limit_type(), time_grid_type(),
          describe_type("marketable_limit", "limit orders that are reached at once", interval::m30,
                        {}, [](const json_reader&, interval) { return make_marketable_limit(); }),
          describe_type("never", "never signals: the cost of the bare loop", interval::m1, {},
                        [](const json_reader&, interval) { return make_never(); })};
}

} // namespace backtest
