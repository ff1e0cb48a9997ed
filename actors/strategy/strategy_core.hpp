#pragma once

#include "actors/exchange/series_market.hpp"
#include "actors/frame/timeline.hpp"
#include "actors/risk/risk_protocol.hpp"
#include "actors/sizing/run_sizer.hpp"
#include "actors/strategy/signal_machine.hpp"
#include "actors/strategy/strategy_schema.hpp"
#include "messages/idle_stretch.hpp"
#include "messages/interest.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

namespace backtest {

/// One-minute candles that a run could have had since its symbol's first one.
struct minute_counts {
  std::int64_t expected = 0;
  std::int64_t missing = 0;

  bool are_mostly_missing() const noexcept { return 2 * missing > expected; }

  friend bool operator==(const minute_counts&, const minute_counts&) = default;
};

struct run_counters {
  std::int64_t scheduled = 0;
  std::int64_t opened = 0;
  std::int64_t closed = 0;
  std::int64_t cancelled = 0;
  std::int64_t unfinished = 0;
  std::int64_t risk_rejections = 0;

  friend bool operator==(const run_counters&, const run_counters&) = default;
};

/// Where a run stands between two instants: what a live run keeps across a restart.
struct run_memory {
  instant last_instant = 0; ///< the last one completed
  machine_memory machine;
  bool paused = false;      ///< by an operator
  int announced_profit = 0; ///< tens of percent towards take profit, of the signal that lives
  int announced_loss = 0;
  bool told_no_candles = false; ///< that the symbol has none yet
  run_counters counters;

  bool operator==(const run_memory& other) const = default;
};

/// What one run of one strategy on one symbol is made of.
struct run_plan {
  shared_identity identity;
  timeline frame;                   ///< generation instants
  instant data_end = end_of_time;   ///< close of the symbol's last candle; the run ends there
  /// Up to there candles were asked for; behind it, while a signal lives, `ask_candles` pauses.
  instant candles_until = end_of_time;
  /// Why nobody knows whether there are candles behind `data_end`.
  std::optional<error> data_end_problem;
  trading_rules rules;
  bool asks_risk = false;           ///< the strategy names at least one risk profile
  bool source_is_actor = false;     ///< signals come from elsewhere: the core pauses to have it asked
  shared_sizings sizings;           ///< for the signal source; null: none
  /// Milliseconds of a steady clock that somebody else moves on, to notice late signal sources: a
  /// load, as every generation instant reads it. Null: lateness is not watched.
  std::shared_ptr<const std::atomic<std::int64_t>> steady_clock;
  /// Milliseconds and wall clock, for performance events; empty: none are made.
  std::function<double()> stopwatch;
  std::function<instant()> wall_clock;
  /// Asked to stop: no new signals from the next instant on. Also when it is halted.
  std::stop_token stop;
  /// The runtime ends, or the run was let go of; requested before `stop`. No function of a user's
  /// is called any more, and what `advance` answers means nothing: nobody may hear of it.
  std::stop_token halted;
  /// Live: where the run stood when it was interrupted.
  std::optional<run_memory> resumed;
};

/// A run over `frame` on the candles there are; risk, source and clocks are the caller's.
run_plan plan_for(shared_identity identity, const timeline& frame, const candle_series& minutes,
                  trading_rules rules);

/// Milliseconds that a signal alive at a frame's end is followed at most.
instant followed_after(const configuration& parameters);

/// Generation instants of a run before its symbol had a candle, which none of its gaps counts.
struct absent_candles {
  std::int64_t instants = 0;
  std::optional<instant> until; ///< open time of the first candle; nothing: there is none

  friend bool operator==(const absent_candles&, const absent_candles&) = default;
};

/// How far a run may go now, and what is listened to.
struct range_grant {
  instant until = 0; ///< exclusive
  interest wanted;
  std::size_t max_events = SIZE_MAX;
  bool generates = true;  ///< false: minutes that a live run missed, or a signal watched to its end
  bool caught_up = false; ///< live: examined after the fact
};

/// Why `advance` came back.
enum class pause_reason : std::uint8_t {
  range_done,     ///< grant used up (time or events)
  ask_risk,       ///< `query()` wants an answer through `answer(risk_verdict)`
  ask_milestones, ///< `reached()` wants an answer through `answer(levels)`
  ask_source,     ///< the signal source at `clock()` wants asking; `answer(optional request)`
  ask_candles,    ///< a signal lives on behind the candles; `wanted_candles()`, `add_candles`
  finished,       ///< the run is over
  failed,         ///< the run is over because of `reason()`
};

/// Progress of a signal that may have crossed a new milestone.
struct milestone_query {
  std::string signal_id;
  milestone_side side = milestone_side::profit;
  int crossed = 0; ///< whole tens, 1..10
};

/// Runs one strategy through time, many instants per call: the tick of the engine. Plain code: it
/// pauses where something outside must answer, and goes on where it stopped. Not thread-safe.
class strategy_core {
public:
  /// `schema` and `market` must outlive the core; the market already holds the run's minutes.
  strategy_core(const strategy_schema& schema, run_plan plan, series_market& market);

  /// Examines instants up to `grant.until` and appends what happened to `out`.
  pause_reason advance(const range_grant& grant, std::vector<event>& out);

  /// Live: newer minutes of the run's own symbol, between two ranges.
  void provide(loaded_series minutes);
  /// Live: takes effect at the next instant, told by a `control_event`. A command that finds nothing
  /// to do there has no effect.
  void command(operator_command asked) { commands_.push_back(asked); }
  /// Live: ends at once if it was stopped and no signal lives.
  bool end_if_idle();
  /// Live: between two ranges.
  run_memory memory() const;
  /// Live: what happened is durable now; calls the strategy's callbacks, which wait until then.
  /// Error events about them, and about those of its risk profiles, go to `out`.
  void announce(const std::vector<callback_failure>& failures, std::vector<event>& out);
  bool has_announcements() const noexcept { return !announcements_.empty(); }
  /// Live: decisions of risk since the last call whose callbacks wait.
  std::size_t take_decisions_to_announce() noexcept { return std::exchange(waiting_decisions_, 0); }
  /// Live: the idle stretch behind the events of the last range, if nobody wants more of it.
  std::optional<idle_stretch> take_idle() { return std::exchange(idle_, std::nullopt); }
  /// Live, between two ranges: before that instant nothing happens but an idle tick every minute
  /// that no callback waits for. Nothing: the next instant has to be examined.
  std::optional<instant> quiet_until() const noexcept;
  /// Live, before a range: up to `until` (exclusive) it was quiet and not asked.
  void pass_quietly(instant until) noexcept;

  const risk_query& query() const noexcept { return query_; }
  void answer(risk_verdict verdict) { verdict_ = std::move(verdict); }
  const milestone_query& reached() const noexcept { return milestone_; }
  void answer(std::vector<int> levels) { levels_ = std::move(levels); }
  /// What the source actor said at `clock()`.
  void answer(std::optional<signal_request> request) { source_answer_ = std::move(request); }
  /// What callbacks of sizings threw while the source actor was busy; before its answer.
  void note_callback_errors(std::vector<std::string> texts) { sizing_errors_ = std::move(texts); }
  /// The source actor failed; in a backtest a late one ends the run, as its facts would change.
  void source_failed(error reason);
  /// After `ask_candles`: the open times of those that may be needed; the first one is.
  std::pair<instant, instant> wanted_candles() const noexcept;
  /// The answer: all the minutes so far and at least one more, or less when there are no more.
  void add_candles(loaded_series minutes);
  /// Or they cannot be had: the run ends as it would where the data ends.
  void candles_failed(error reason);

  /// Nothing happens before this instant any more.
  instant clock() const noexcept {
    // The end of the data may still have to be told.
    return over_ ? end_of_time : std::min(clock_, std::max(plan_.data_end, plan_.frame.first));
  }
  /// After `range_done`: the work took long, or there were many events, and some of the range is
  /// left.
  bool is_handed_back_early() const noexcept { return clock_ < until_; }
  /// Generation instants already behind the run.
  std::int64_t processed_instants() const noexcept {
    return plan_.frame.passed(std::min(clock_, plan_.data_end + 1));
  }
  /// Instants at which positions ended since the last call; for the arbiter.
  std::vector<instant> take_ends() { return std::exchange(ends_, {}); }
  /// Ids of signals that closed since the last call; their milestones may be forgotten.
  std::vector<std::string> take_closed_ids() { return std::exchange(closed_ids_, {}); }

  const run_counters& counters() const noexcept { return counters_; }
  /// One-minute candles missing between the frame's start, or the symbol's first candle, and the
  /// run's end so far.
  std::int64_t gaps() const noexcept;
  /// The same of the minutes since the symbol's first candle.
  minute_counts minutes_since_listing() const noexcept;
  /// Not for a run that follows the market, whose candles only come.
  absent_candles before_first_candle() const noexcept;
  bool was_cut_short() const noexcept { return cut_short_; }
  const error& reason() const noexcept { return failure_; }
  const run_plan& plan() const noexcept { return plan_; }
  const signal_machine& machine() const noexcept { return machine_; }

private:
  minute_counts minutes_since(instant first) const noexcept;

  enum class waiting_for : std::uint8_t {
    nothing,
    opening,
    scheduling,
    activation,
    milestones,
    source,
    candles
  };

  /// Nothing, or why to pause. Not a std::optional: its two bytes, written one by one and read as
  /// one, stall the processor at every instant.
  class next_step {
  public:
    constexpr next_step() = default;
    constexpr next_step(std::nullopt_t) noexcept {}
    constexpr next_step(pause_reason reason) noexcept
        : value_(static_cast<std::uint8_t>(reason)) {}
    constexpr explicit operator bool() const noexcept { return value_ != going_on; }
    constexpr pause_reason operator*() const noexcept { return static_cast<pause_reason>(value_); }

  private:
    static constexpr std::uint8_t going_on = 255;
    std::uint8_t value_ = going_on;
  };

  /// Market at one instant, for a signal that lives.
  struct reading {
    bool has_price = false;
    double price = 0;
    const candle* closed = nullptr;
    const double* price_or_null() const noexcept { return has_price ? &price : nullptr; }
  };

  class measured_work;
  bool watches_performance() const { return wants(topic::performance) && plan_.stopwatch; }
  double work_so_far() const;
  void emit_performance(metric_type metric, double began);
  bool watches_position() const noexcept {
    return wants(tick_action::active) || wants(topic::partial_profit) ||
           wants(topic::partial_loss);
  }

  reading read(instant when) noexcept;
  instant pass_quiet_minutes(signal_machine& machine, instant when, instant until) noexcept;
  next_step resume();
  bool goes_on() const noexcept {
    return clock_ < until_ && out_->size() < grant_->max_events && last_steady_ <= slice_ends_;
  }
  next_step advance_idle();
  next_step advance_scheduled();
  next_step advance_pending();
  next_step generate(instant when);
  /// What the function says; nothing and `source_error_` when it throws.
  std::optional<signal_request> call_source(instant when);
  next_step pass_without_source(instant when, error reason);
  next_step consider(instant when, std::optional<signal_request>&& request);
  next_step ask_risk(instant when, waiting_for what, signal_request&& request, double price);
  next_step decide_opening(bool adds);
  next_step decide_activation();
  next_step open_position(instant when, const double* price);
  next_step pass(instant when) {
    if (frame_began_)
      emit_performance(metric_type::backtest_timeframe,
                       *std::exchange(frame_began_, std::nullopt));
    clock_ = when + minute_ms;
    return std::nullopt;
  }
  next_step finish();
  next_step finish_without_data();
  next_step go_behind_data();
  next_step pass_without_price(instant when);
  instant followed_until() const noexcept {
    return plan_.frame.last + followed_after(plan_.rules.parameters);
  }
  next_step fail(error reason);

  bool watch(instant when, double price);
  void tell_level(partial_event reached);
  void tell_active(instant when, double price);
  void close(instant when, close_reason reason, const position_result& outcome);
  void cancel(instant when, cancel_reason reason, double price);
  bool is_allowed(instant when);
  void refuse(risk_verdict&& verdict, instant when);

  bool wants(tick_action action) const noexcept { return mask_.has(action); }
  bool wants(topic on) const noexcept { return mask_.has(on); }
  void describe(tick_result& result, tick_action action, instant when, double price) const;
  /// What somebody wants to hear; `complete(result)` adds what this action has beside.
  template <class Complete>
  void emit(tick_action action, instant when, double price, Complete complete);
  void emit(tick_action action, instant when, double price);
  tick_result& next_tick();
  bool watches_idle() const noexcept {
    return wants(tick_action::idle) || mask_.has_newest_idle();
  }
  void emit_idle(instant when) {
    if (watches_idle())
      tell_idle(when);
  }
  void tell_idle(instant when);
  void emit_error(error_code code, std::string message, instant when, const char* source = "strategy");
  void emit_risk_callback_error(const std::string& thrown, instant when);
  void tell_sizing_errors(instant when, std::vector<std::string> texts);
  void notify_write(const shared_signal& row);
  void tell_callbacks(const tick_result& result);
  bool is_live() const noexcept { return plan_.identity->mode == run_mode::live; }
  bool may_generate() const noexcept { return grant_->generates && !paused_; }
  void take_commands();
  template <class Tell>
  void announce_or_tell(Tell tell);
  template <class Callback, class... Args>
  void call(const Callback& callback, const char* name, instant when, const Args&... args);
  std::shared_ptr<signal_row> row_for(instant when, const signal_request& request, double price,
                                      bool& immediate) const;
  instant next_generation(instant from) const noexcept;
  instant clock_after_opening(instant when) noexcept;
  bool late();
  bool is_halted() const noexcept { return plan_.halted.stop_requested(); }
  void notice_stop() noexcept {
    if (!plan_.stop.stop_requested())
      return;
    machine_.stop();
    if (is_halted())
      until_ = INT64_MIN;
  }

  const strategy_schema& schema_;
  run_plan plan_;
  series_market& market_;
  run_sizer sizer_;
  shared_series held_minutes_; ///< the market may load others in their place
  series_cursor minutes_;
  shared_prices prices_; ///< of these minutes, by place; null: worked out at every instant
  signal_machine machine_;
  run_counters counters_;
  interest callback_interest_;

  instant clock_;
  bool over_ = false;
  bool cut_short_ = false;
  bool saw_frame_end_ = false; ///< over, and not before the frame or the candles were
  bool had_candles_ = false;   ///< live: before those that are held now
  bool told_no_candles_ = false;
  std::int64_t last_steady_ = 0;   ///< latest reading of the steady clock
  std::int64_t slice_ends_ = 0;    ///< the grant is handed back then, so that others get their turn
  error failure_;

  // Milliseconds of work, while somebody listens to performance.
  double work_ms_ = 0;       ///< in earlier calls of `advance`
  double work_began_ms_ = 0; ///< stopwatch when this call began
  std::optional<double> frame_began_, signal_began_;
  double live_tick_began_ = 0;
  std::array<std::optional<instant>, 4> previous_performance_{}; ///< by metric

  // Valid during `advance`.
  const range_grant* grant_ = nullptr;
  instant until_ = 0; ///< exclusive
  std::vector<event>* out_ = nullptr;
  interest mask_;

  // What a pause waits for, and what it needs afterwards.
  waiting_for waiting_ = waiting_for::nothing;
  risk_query query_;
  std::optional<risk_verdict> verdict_;
  std::shared_ptr<signal_row> candidate_; ///< nobody else has it before it is accepted
  double candidate_price_ = 0;
  std::optional<signal_machine> foreseen_; ///< how the candidate goes if risk allows it ...
  instant foreseen_until_ = 0;             ///< ... up to here
  milestone_query milestone_;
  std::optional<std::vector<int>> levels_;
  std::optional<std::optional<signal_request>> source_answer_;
  std::optional<error> source_error_;
  std::vector<std::string> sizing_errors_;
  int announced_profit_ = 0, announced_loss_ = 0; ///< tens already asked about

  // Live only.
  instant completed_until_ = 0; ///< exclusive, before the range under way
  instant granted_until_ = 0;
  /// Exclusive end of what is behind the run; an idle run's clock may be further.
  instant memory_until() const noexcept {
    return std::max(completed_until_, std::min(clock_, granted_until_));
  }
  std::vector<operator_command> commands_;
  bool paused_ = false, cancel_asked_ = false, close_asked_ = false;
  std::vector<std::function<void()>> announcements_;
  std::size_t waiting_decisions_ = 0;
  std::optional<idle_stretch> idle_; ///< not told yet

  std::vector<instant> ends_;
  std::vector<std::string> closed_ids_;
};

} // namespace backtest
