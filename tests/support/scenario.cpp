#include "tests/support/scenario.hpp"

#include "messages/json.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

namespace backtest::testing {

namespace {

std::string minute_text(instant when) {
  const instant from_zero = when - minute_zero;
  return from_zero % minute_ms == 0 ? std::to_string(from_zero / minute_ms) : to_iso(when);
}

struct describer {
  std::string operator()(const tick_result& tick) const {
    auto text = fmt::format("{} {}", minute_text(tick.timestamp), to_string(tick.action));
    if (tick.cancelled_by)
      return fmt::format("{} {}", text, to_string(*tick.cancelled_by));
    if (tick.action == tick_action::active)
      return fmt::format("{} {:.4g}/{:.4g}", text, tick.percent_tp, tick.percent_sl);
    if (tick.closed_by)
      return fmt::format("{} {} @{}", text, to_string(*tick.closed_by),
                         number_text(tick.pnl->price_close));
    return fmt::format("{} @{}", text,
                       number_text(tick.action == tick_action::scheduled ? tick.signal->price_open
                                                                         : tick.current_price));
  }
  std::string operator()(const partial_event& partial) const {
    return fmt::format("{} {} {}", minute_text(partial.timestamp),
                       partial.side == milestone_side::profit ? "profit" : "loss", partial.level);
  }
  std::string operator()(const risk_event& risk) const {
    return fmt::format("{} risk {}: {} ({})", minute_text(risk.timestamp), risk.risk_name,
                       risk.comment, risk.active_position_count);
  }
  std::string operator()(const error_event& problem) const {
    return fmt::format("{} {}", minute_text(problem.timestamp.value_or(0)),
                       to_string(problem.code));
  }
  template <class Other>
  std::string operator()(const Other&) const {
    return "?";
  }
};

} // namespace

std::vector<std::string> memory_source::symbols() const {
  std::vector<std::string> names;
  for (const auto& [symbol, candles] : market)
    names.push_back(symbol);
  return names;
}

candle_series memory_source::load(const std::string& symbol, instant, instant,
                                  const configuration&) {
  const auto found = market.find(symbol);
  if (found == market.end())
    throw failure(error_code::not_found, fmt::format("symbol {} not found", symbol));
  return {symbol, interval::m1, found->second};
}

signal_request go_long(double take_profit, double stop_loss, std::int64_t minutes) {
  signal_request request;
  request.price_take_profit = take_profit;
  request.price_stop_loss = stop_loss;
  request.minute_estimated_time = minutes;
  return request;
}

signal_request go_short(double take_profit, double stop_loss, std::int64_t minutes) {
  auto request = go_long(take_profit, stop_loss, minutes);
  request.position = position_side::short_side;
  return request;
}

signal_request entering_at(double price_open, signal_request request) {
  request.price_open = price_open;
  return request;
}

signal_function signals(std::map<std::int64_t, signal_request> by_minute) {
  return [by_minute =
              std::move(by_minute)](const run_context& context) -> std::optional<signal_request> {
    for (const auto& [minute, request] : by_minute)
      if (at_minute(minute) == context.when())
        return request;
    return std::nullopt;
  };
}

risk_schema at_most(std::size_t count, std::string risk_name, std::string note) {
  risk_schema schema;
  schema.risk_name = std::move(risk_name);
  schema.validations.push_back({[count](const risk_question& question) {
                                  return question.active_positions.size() < count
                                             ? std::nullopt
                                             : std::optional<std::string>{"full"};
                                },
                                std::move(note)});
  return schema;
}

interest transitions() {
  return interest::of(tick_action::scheduled) | interest::of(tick_action::opened) |
         interest::of(tick_action::closed) | interest::of(tick_action::cancelled) |
         interest::of(topic::risk) | interest::of(topic::error) | interest::of(topic::validation);
}

scenario::scenario() {
  parameters.avg_price_candles_count = 1;
  parameters.percent_fee = parameters.percent_slippage = 0;
  exchange.exchange_name = "paper";
  exchange.source = source_;
  frame.frame_name = "frame";
  frame_minutes(0, 10);
}

void scenario::prices(const std::vector<std::optional<double>>& by_minute,
                      const std::string& symbol) {
  auto& list = candles(symbol);
  list.clear();
  for (std::size_t minute = 0; minute < by_minute.size(); ++minute)
    if (by_minute[minute])
      list.push_back(closing_at(static_cast<std::int64_t>(minute), *by_minute[minute]));
}

std::vector<candle>& scenario::candles(const std::string& symbol) {
  return source_->market[symbol];
}

void scenario::frame_minutes(std::int64_t first, std::int64_t last, interval step) {
  frame.start = at_minute(first);
  frame.end = at_minute(last);
  frame.size = step;
}

strategy_schema& scenario::strategy(signal_function get_signal, std::string name) {
  auto& added = schemas.strategies.emplace_back();
  added.strategy_name = std::move(name);
  added.get_signal = std::move(get_signal);
  return added;
}

plain_result scenario::run() const {
  return run_plain_portfolio(schemas, parameters, exchange, frame, source_->symbols(), options);
}

std::vector<std::string> scenario::facts() const { return facts(transitions()); }

std::vector<std::string> scenario::facts(interest wanted) const {
  auto narrowed = *this;
  narrowed.options.wanted = wanted;
  const auto result = narrowed.run();
  const bool several_symbols = source_->market.size() > 1;
  const bool several_strategies = schemas.strategies.size() > 1;
  texts found;
  for (const auto& item : result.events) {
    const auto& run = *identity_of(item);
    found.push_back(fmt::format(
        "{}{}{}{}{}{}", several_strategies ? run.strategy_name : "", several_strategies ? " " : "",
        several_symbols ? run.symbol : "", several_symbols ? " " : "",
        item.on == topic::validation ? "validation: " : "", std::visit(describer{}, item.payload)));
  }
  return found;
}

std::vector<tick_result> scenario::ticks(tick_action action) const {
  std::vector<tick_result> found;
  for (const auto& item : run().events)
    if (const auto* tick = std::get_if<tick_result>(&item.payload); tick && tick->action == action)
      found.push_back(*tick);
  return found;
}

error_event scenario::first_error() const {
  for (const auto& item : run().events)
    if (item.on == topic::error)
      return std::get<error_event>(item.payload);
  FAIL("no error event");
  return {};
}

scenario one_signal(const signal_request& request,
                    const std::vector<std::optional<double>>& by_minute) {
  scenario market;
  market.frame_minutes(0, 0);
  market.prices(by_minute);
  market.strategy(signals({{0, request}}));
  return market;
}

} // namespace backtest::testing
