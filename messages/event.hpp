#pragma once

#include "messages/error.hpp"
#include "messages/signal.hpp"

#include <variant>
#include <vector>

namespace backtest {

struct trade_statistics;
using shared_statistics = std::shared_ptr<const trade_statistics>;

/// Outcome of one instant.
enum class tick_action : std::uint8_t { idle, scheduled, waiting, opened, active, closed, cancelled };
enum class close_reason : std::uint8_t { take_profit, stop_loss, time_expired, user };
enum class cancel_reason : std::uint8_t { timeout, price_reject, risk_reject, stopped, user };

inline constexpr std::size_t tick_action_count = 7;

struct profit_and_loss {
  double pnl_percentage = 0; ///< net of fees and slippage, in percent
  double price_open = 0;     ///< as given, without slippage
  double price_close = 0;

  friend bool operator==(const profit_and_loss&, const profit_and_loss&) = default;
};

/// What one instant did to one run. Fields behind `signal` are set for the actions named beside them.
struct tick_result {
  tick_action action = tick_action::idle;
  shared_identity run;
  double current_price = 0; ///< average price; opened: entry price; closed: close price
  instant timestamp = 0;    ///< the instant examined
  shared_signal signal;     ///< all but idle
  double percent_tp = 0;    ///< active, 0..100 of the way to take profit
  double percent_sl = 0;    ///< active
  std::optional<instant> close_timestamp;      ///< closed, cancelled
  std::optional<close_reason> closed_by;       ///< closed
  std::optional<cancel_reason> cancelled_by;   ///< cancelled
  std::optional<profit_and_loss> pnl;          ///< closed
  std::optional<double> peak_pnl;              ///< closed: best net percent while open
  std::optional<double> fall_pnl;              ///< closed: worst net percent while open
  bool caught_up = false;                      ///< live: examined after the fact

  bool operator==(const tick_result& other) const;
};

enum class milestone_side : std::uint8_t { profit, loss };

/// A signal reached 10, 20, .. 100 % of the way to its target for the first time.
struct partial_event {
  shared_identity run;
  shared_signal signal;
  milestone_side side = milestone_side::profit;
  int level = 0;
  double current_price = 0;
  instant timestamp = 0;

  bool operator==(const partial_event& other) const;
};

/// Risk refused a signal.
struct risk_event {
  shared_identity run;
  std::string risk_name;
  signal_request pending_signal;
  double current_price = 0;
  std::int64_t active_position_count = 0; ///< of the refusing profile
  std::string comment;
  instant timestamp = 0;

  bool operator==(const risk_event& other) const;
};

/// Topics `error`, `exit` and `validation`.
struct error_event {
  error_code code = error_code::invalid_argument;
  std::string message;
  std::string source;              ///< component that noticed
  std::optional<instant> timestamp; ///< the instant, inside a run
  shared_identity run;             ///< null outside a run

  bool operator==(const error_event& other) const;
};

enum class run_outcome : std::uint8_t { completed, stopped, failed };

struct done_event {
  shared_identity run;
  std::string walker_name; ///< "" unless a walker
  run_outcome outcome = run_outcome::completed;

  bool operator==(const done_event& other) const;
};

struct progress_backtest {
  shared_identity run;
  std::int64_t total_frames = 0;
  std::int64_t processed_frames = 0;
  double progress = 0; ///< 0..1

  bool operator==(const progress_backtest& other) const;
};

enum class metric_type : std::uint8_t { backtest_total, backtest_timeframe, backtest_signal, live_tick };

/// Time spent on work, measured with a steady clock; timestamps are wall clock.
struct performance_event {
  shared_identity run;
  metric_type metric = metric_type::backtest_total;
  double duration = 0; ///< milliseconds
  instant timestamp = 0;
  std::optional<instant> previous_timestamp; ///< of the same metric in the same run

  bool operator==(const performance_event& other) const;
};

/// What an operator may tell a live run.
enum class operator_command : std::uint8_t {
  pause,  ///< generate no signals until `resume`
  resume,
  cancel, ///< the scheduled signal, at the next instant
  close,  ///< the pending signal, at the next instant and its price
};

inline constexpr std::size_t operator_command_count = 4;

/// An operator's command took effect.
struct control_event {
  shared_identity run;
  operator_command command = operator_command::pause;
  instant timestamp = 0;

  bool operator==(const control_event& other) const;
};

/// How far a walker has come on one symbol. Its run bears the walker's name as strategy.
struct progress_walker {
  shared_identity run;
  std::int64_t total_strategies = 0;
  std::int64_t processed_strategies = 0; ///< tested or failed
  double progress = 0;                   ///< 0..1

  bool operator==(const progress_walker& other) const;
};

/// A walker is done with one of its strategies.
struct walker_event {
  shared_identity run; ///< of that strategy
  std::string walker_name;
  shared_statistics statistics; ///< of its trades; never null
  std::string metric;
  std::optional<double> metric_value;
  std::optional<double> best_metric; ///< so far
  std::optional<std::string> best_strategy;
  std::int64_t strategies_tested = 0;
  std::int64_t total_strategies = 0;
  bool partial = false; ///< cut short by a stop, and so never the best

  bool operator==(const walker_event& other) const;
};

/// A walker is over on one symbol. Its run bears the walker's name as strategy.
struct walker_complete {
  shared_identity run;
  std::string metric;
  std::int64_t total_strategies = 0;
  std::int64_t strategies_tested = 0;
  std::int64_t strategies_failed = 0;
  bool stopped = false; ///< a strategy was cut short or never started
  std::optional<std::string> best_strategy;
  std::optional<double> best_metric;
  shared_statistics best_statistics; ///< null: there is no winner

  bool operator==(const walker_complete& other) const;
};

enum class topic : std::uint8_t {
  signal,
  signal_live,
  signal_backtest,
  error,
  exit,
  done_backtest,
  done_live,
  done_walker,
  progress_backtest,
  progress_walker,
  progress_optimizer,
  performance,
  walker,
  walker_complete,
  validation,
  partial_profit,
  partial_loss,
  risk,
  control,
};

inline constexpr std::size_t topic_count = 19;

using event_payload = std::variant<tick_result, partial_event, risk_event, error_event, done_event,
                                   progress_backtest, performance_event, control_event,
                                   progress_walker, walker_event, walker_complete>;

/// One thing that happened, on one topic. A tick result travels once, under signal_backtest or
/// signal_live; subscribers of `signal` receive it too.
struct event {
  topic on = topic::error;
  event_payload payload;
  std::int64_t number = 0; ///< in the journal of a live node; 0: it has none

  friend bool operator==(const event&, const event&) = default;
};

/// Names of the run an event belongs to; null where it belongs to none.
const shared_identity& identity_of(const event& item) noexcept;

/// The instant an event line is sorted by; absent for done, progress, performance and walkers.
std::optional<instant> instant_of(const event& item) noexcept;

std::string_view to_string(tick_action value) noexcept;
std::string_view to_string(close_reason value) noexcept;
std::string_view to_string(cancel_reason value) noexcept;
std::string_view to_string(run_outcome value) noexcept;
std::string_view to_string(metric_type value) noexcept;
std::string_view to_string(operator_command value) noexcept;
std::string_view to_string(topic value) noexcept;
std::optional<tick_action> parse_tick_action(std::string_view text) noexcept;
std::optional<close_reason> parse_close_reason(std::string_view text) noexcept;
std::optional<cancel_reason> parse_cancel_reason(std::string_view text) noexcept;
std::optional<run_outcome> parse_run_outcome(std::string_view text) noexcept;
std::optional<metric_type> parse_metric_type(std::string_view text) noexcept;
std::optional<operator_command> parse_operator_command(std::string_view text) noexcept;
std::optional<topic> parse_topic(std::string_view text) noexcept;

} // namespace backtest
