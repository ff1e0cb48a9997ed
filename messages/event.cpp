#include "messages/event.hpp"

#include "messages/trade_statistics.hpp"

#include <array>
#include <tuple>

namespace backtest {

namespace {

/// Equal when both are absent or both point at equal values.
template <class T>
bool same(const std::shared_ptr<const T>& left, const std::shared_ptr<const T>& right) {
  return left == right || (left && right && *left == *right);
}

template <class Enum, std::size_t Size>
std::optional<Enum> find_name(const std::array<std::string_view, Size>& names,
                              std::string_view text) noexcept {
  for (std::size_t i = 0; i < Size; ++i)
    if (names[i] == text)
      return static_cast<Enum>(i);
  return std::nullopt;
}

constexpr std::array<std::string_view, tick_action_count> tick_actions{
    "idle", "scheduled", "waiting", "opened", "active", "closed", "cancelled"};
constexpr std::array<std::string_view, 4> close_reasons{"take_profit", "stop_loss", "time_expired",
                                                        "user"};
constexpr std::array<std::string_view, 5> cancel_reasons{"timeout", "price_reject", "risk_reject",
                                                         "stopped", "user"};
constexpr std::array<std::string_view, 3> outcomes{"completed", "stopped", "failed"};
constexpr std::array<std::string_view, 4> metrics{"backtest_total", "backtest_timeframe",
                                                  "backtest_signal", "live_tick"};
constexpr std::array<std::string_view, topic_count> topics{
    "signal",         "signal_live",       "signal_backtest",  "error",
    "exit",           "done_backtest",     "done_live",        "done_walker",
    "progress_backtest", "progress_walker", "progress_optimizer", "performance",
    "walker",         "walker_complete",   "validation",       "partial_profit",
    "partial_loss",   "risk",              "control"};
constexpr std::array<std::string_view, 4> commands{"pause", "resume", "cancel", "close"};

} // namespace

bool tick_result::operator==(const tick_result& o) const {
  return same(run, o.run) && same(signal, o.signal) &&
         std::tie(action, current_price, timestamp, percent_tp, percent_sl, close_timestamp,
                  closed_by, cancelled_by, pnl, peak_pnl, fall_pnl, caught_up) ==
             std::tie(o.action, o.current_price, o.timestamp, o.percent_tp, o.percent_sl,
                      o.close_timestamp, o.closed_by, o.cancelled_by, o.pnl, o.peak_pnl,
                      o.fall_pnl, o.caught_up);
}

bool partial_event::operator==(const partial_event& o) const {
  return same(run, o.run) && same(signal, o.signal) && side == o.side && level == o.level &&
         current_price == o.current_price && timestamp == o.timestamp;
}

bool risk_event::operator==(const risk_event& o) const {
  return same(run, o.run) &&
         std::tie(risk_name, pending_signal, current_price, active_position_count, comment,
                  timestamp) == std::tie(o.risk_name, o.pending_signal, o.current_price,
                                         o.active_position_count, o.comment, o.timestamp);
}

bool error_event::operator==(const error_event& o) const {
  return same(run, o.run) && code == o.code && message == o.message && source == o.source &&
         timestamp == o.timestamp;
}

bool done_event::operator==(const done_event& o) const {
  return same(run, o.run) && walker_name == o.walker_name && outcome == o.outcome;
}

bool progress_backtest::operator==(const progress_backtest& o) const {
  return same(run, o.run) && total_frames == o.total_frames &&
         processed_frames == o.processed_frames && progress == o.progress;
}

bool performance_event::operator==(const performance_event& o) const {
  return same(run, o.run) && metric == o.metric && duration == o.duration &&
         timestamp == o.timestamp && previous_timestamp == o.previous_timestamp;
}

bool control_event::operator==(const control_event& o) const {
  return same(run, o.run) && command == o.command && timestamp == o.timestamp;
}

bool progress_walker::operator==(const progress_walker& o) const {
  return same(run, o.run) && total_strategies == o.total_strategies &&
         processed_strategies == o.processed_strategies && progress == o.progress;
}

bool walker_event::operator==(const walker_event& o) const {
  return same(run, o.run) && same(statistics, o.statistics) &&
         std::tie(walker_name, metric, metric_value, best_metric, best_strategy, strategies_tested,
                  total_strategies, partial) ==
             std::tie(o.walker_name, o.metric, o.metric_value, o.best_metric, o.best_strategy,
                      o.strategies_tested, o.total_strategies, o.partial);
}

bool walker_complete::operator==(const walker_complete& o) const {
  return same(run, o.run) && same(best_statistics, o.best_statistics) &&
         std::tie(metric, total_strategies, strategies_tested, strategies_failed, stopped,
                  best_strategy, best_metric) ==
             std::tie(o.metric, o.total_strategies, o.strategies_tested, o.strategies_failed,
                      o.stopped, o.best_strategy, o.best_metric);
}

const shared_identity& identity_of(const event& item) noexcept {
  return std::visit([](const auto& payload) -> const shared_identity& { return payload.run; },
                    item.payload);
}

std::optional<instant> instant_of(const event& item) noexcept {
  struct visitor {
    std::optional<instant> operator()(const tick_result& x) const { return x.timestamp; }
    std::optional<instant> operator()(const partial_event& x) const { return x.timestamp; }
    std::optional<instant> operator()(const risk_event& x) const { return x.timestamp; }
    std::optional<instant> operator()(const error_event& x) const { return x.timestamp; }
    std::optional<instant> operator()(const control_event& x) const { return x.timestamp; }
    std::optional<instant> operator()(const done_event&) const { return std::nullopt; }
    std::optional<instant> operator()(const progress_backtest&) const { return std::nullopt; }
    std::optional<instant> operator()(const performance_event&) const { return std::nullopt; }
    std::optional<instant> operator()(const progress_walker&) const { return std::nullopt; }
    std::optional<instant> operator()(const walker_event&) const { return std::nullopt; }
    std::optional<instant> operator()(const walker_complete&) const { return std::nullopt; }
  };
  return std::visit(visitor{}, item.payload);
}

std::string_view to_string(tick_action value) noexcept { return name_of(tick_actions, value); }
std::string_view to_string(close_reason value) noexcept { return name_of(close_reasons, value); }
std::string_view to_string(cancel_reason value) noexcept { return name_of(cancel_reasons, value); }
std::string_view to_string(run_outcome value) noexcept { return name_of(outcomes, value); }
std::string_view to_string(metric_type value) noexcept { return name_of(metrics, value); }
std::string_view to_string(operator_command value) noexcept { return name_of(commands, value); }
std::string_view to_string(topic value) noexcept { return name_of(topics, value); }

std::optional<tick_action> parse_tick_action(std::string_view text) noexcept {
  return find_name<tick_action>(tick_actions, text);
}
std::optional<close_reason> parse_close_reason(std::string_view text) noexcept {
  return find_name<close_reason>(close_reasons, text);
}
std::optional<cancel_reason> parse_cancel_reason(std::string_view text) noexcept {
  return find_name<cancel_reason>(cancel_reasons, text);
}
std::optional<run_outcome> parse_run_outcome(std::string_view text) noexcept {
  return find_name<run_outcome>(outcomes, text);
}
std::optional<metric_type> parse_metric_type(std::string_view text) noexcept {
  return find_name<metric_type>(metrics, text);
}
std::optional<operator_command> parse_operator_command(std::string_view text) noexcept {
  return find_name<operator_command>(commands, text);
}
std::optional<topic> parse_topic(std::string_view text) noexcept {
  return find_name<topic>(topics, text);
}

} // namespace backtest
