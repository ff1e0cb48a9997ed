#include "actors/strategy/strategy_core.hpp"

#include "actors/exchange/average_price.hpp"
#include "actors/partial/milestones.hpp"
#include "actors/strategy/signal_validation.hpp"
#include "actors/strategy/source_error.hpp"
#include "messages/calling_place.hpp"
#include "messages/plain_text.hpp"
#include "messages/thrown_text.hpp"

#include <utility>

#include <fmt/format.h>

namespace backtest {

namespace {

constexpr topic signal_topic(run_mode mode) noexcept {
  return mode == run_mode::backtest ? topic::signal_backtest : topic::signal_live;
}

/// What must be built because the strategy's own callbacks want it.
interest interest_of(const strategy_callbacks& callbacks) {
  interest mask;
  const auto add = [&mask](bool wanted, tick_action action) {
    if (wanted)
      mask |= interest::of(action);
  };
  const bool all = static_cast<bool>(callbacks.on_tick);
  add(all || callbacks.on_idle, tick_action::idle);
  add(all || callbacks.on_schedule, tick_action::scheduled);
  add(all, tick_action::waiting);
  add(all || callbacks.on_open, tick_action::opened);
  add(all || callbacks.on_active, tick_action::active);
  add(all || callbacks.on_close, tick_action::closed);
  add(all || callbacks.on_cancel, tick_action::cancelled);
  for (const auto& [callback, on] : {std::pair(&callbacks.on_partial_profit, topic::partial_profit),
                                     std::pair(&callbacks.on_partial_loss, topic::partial_loss)})
    if (*callback)
      mask |= interest::of(on);
  return mask;
}

/// The request a scheduled signal was made from, as risk sees it again when it activates.
signal_request request_of(const signal_row& row) {
  return {row.position,        row.id,   row.price_open, row.price_take_profit,
          row.price_stop_loss, row.minute_estimated_time, row.note, row.quantity};
}

close_reason reason_of(pending_step step) noexcept {
  return step == pending_step::take_profit ? close_reason::take_profit
         : step == pending_step::stop_loss ? close_reason::stop_loss
                                           : close_reason::time_expired;
}

/// The id of a signal whose source gave it none: the same in every run.
std::string derived_id(const run_identity& run, instant when) {
  const fmt::format_int time{when};
  std::string id;
  id.reserve(run.strategy_name.size() + run.symbol.size() + time.size() + 2);
  return id.append(run.strategy_name)
      .append(1, ':')
      .append(run.symbol)
      .append(1, ':')
      .append(time.data(), time.size());
}

/// Only where there is a candle does one close at the end of the data.
std::string text_of_data_end(const run_plan& plan, bool has_candles) {
  const auto& symbol = plan.identity->symbol;
  const auto last = to_iso(plan.frame.last);
  return has_candles ? fmt::format("candles of {} end at {}, the frame goes on to {}", symbol,
                                   to_iso(plan.data_end), last)
                     : fmt::format("there are no candles of {}, the frame goes from {} to {}",
                                   symbol, to_iso(plan.frame.first), last);
}

/// How many minutes an opening looks ahead to promise the arbiter when it can end at the earliest.
constexpr int lookahead_minutes = 512;

/// Milliseconds of a user's own work after which a range is handed back unfinished.
constexpr std::int64_t slice_ms = 100;

} // namespace

run_plan plan_for(shared_identity identity, const timeline& frame, const candle_series& minutes,
                  trading_rules rules) {
  run_plan plan;
  plan.identity = std::move(identity);
  plan.frame = frame;
  plan.data_end = minutes.end(frame.first - minute_ms); // no candle at all: it ended before
  plan.rules = rules;
  return plan;
}

instant followed_after(const configuration& parameters) {
  return (parameters.schedule_await_minutes + parameters.max_signal_lifetime_minutes + 1) *
         minute_ms;
}

strategy_core::strategy_core(const strategy_schema& schema, run_plan plan, series_market& market)
    : schema_(schema), plan_(std::move(plan)), market_(market), sizer_(plan_.sizings),
      held_minutes_(market.shared_minutes()), minutes_(market.minutes()),
      prices_(market.prices_of_minutes()), machine_(plan_.rules, schema.size),
      callback_interest_(interest_of(schema.callbacks)), clock_(plan_.frame.first),
      completed_until_(clock_), granted_until_(clock_) {
  if (!plan_.resumed)
    return;
  const auto& memory = *plan_.resumed;
  machine_.restore(memory.machine);
  clock_ = completed_until_ = granted_until_ = memory.last_instant + minute_ms;
  paused_ = memory.paused;
  announced_profit_ = memory.announced_profit;
  announced_loss_ = memory.announced_loss;
  told_no_candles_ = memory.told_no_candles;
  counters_ = memory.counters;
  counters_.unfinished = 0; // it is followed further
  if (machine_.state() == signal_state::idle)
    return;
  const bool pending = machine_.state() == signal_state::pending;
  const auto& callback = pending ? schema_.callbacks.on_active : schema_.callbacks.on_schedule;
  if (callback) {
    tick_result restored;
    describe(restored, pending ? tick_action::active : tick_action::scheduled,
             memory.last_instant, machine_.last_price());
    if (pending) {
      restored.percent_tp = machine_.progress_to_target(machine_.last_price());
      restored.percent_sl = machine_.progress_to_stop(machine_.last_price());
    }
    announcements_.emplace_back([this, restored, &callback, pending] {
      call(callback, pending ? "on_active" : "on_schedule", restored.timestamp, restored);
    });
  }
}

/// Counts the time spent inside `advance`; waiting for answers is not work.
class strategy_core::measured_work {
public:
  explicit measured_work(strategy_core& core) : core_(core), active_(core.watches_performance()) {
    if (active_)
      core_.work_began_ms_ = core_.plan_.stopwatch();
  }
  ~measured_work() {
    if (active_)
      core_.work_ms_ += core_.plan_.stopwatch() - core_.work_began_ms_;
  }
  measured_work(const measured_work&) = delete;
  measured_work& operator=(const measured_work&) = delete;

private:
  strategy_core& core_;
  bool active_;
};

// -- time -----------------------------------------------------------------------------------------

pause_reason strategy_core::advance(const range_grant& grant, std::vector<event>& out) {
  grant_ = &grant;
  out_ = &out;
  // Behind the last candle there is nothing left but to say so, and `clock()` stays there: a grant
  // of a single minute must be enough.
  until_ = grant.until > std::max(plan_.data_end, plan_.frame.first) ? end_of_time : grant.until;
  mask_ = grant.wanted | callback_interest_;
  const measured_work work{*this};
  const place_mark inside{calling_place::strategy, nullptr, schema_.strategy_name}; // once a range
  if (plan_.steady_clock)
    slice_ends_ = (last_steady_ = plan_.steady_clock->load(std::memory_order_relaxed)) + slice_ms;
  if (waiting_ != waiting_for::nothing) {
    if (const auto paused = resume())
      return *paused;
  } else {
    completed_until_ = memory_until();
    if (!commands_.empty() && completed_until_ < grant.until) {
      clock_ = std::min(clock_, completed_until_);
      take_commands();
    }
  }
  granted_until_ = grant.until;
  while (goes_on()) {
    next_step paused;
    notice_stop();
    switch (machine_.state()) {
    case signal_state::idle: paused = advance_idle(); break;
    case signal_state::scheduled: paused = advance_scheduled(); break;
    case signal_state::pending: paused = advance_pending(); break;
    }
    if (paused)
      return *paused;
  }
  if (is_live() && watches_performance())
    emit_performance(metric_type::live_tick, std::exchange(live_tick_began_, work_so_far()));
  return pause_reason::range_done;
}

void strategy_core::take_commands() {
  for (const auto asked : std::exchange(commands_, {})) {
    const auto state = machine_.state();
    switch (asked) {
    case operator_command::pause:
    case operator_command::resume:
      if (std::exchange(paused_, asked == operator_command::pause) == paused_)
        continue;
      break;
    case operator_command::cancel:
      if (state != signal_state::scheduled)
        continue;
      cancel_asked_ = true;
      break;
    case operator_command::close:
      if (state != signal_state::pending)
        continue;
      close_asked_ = true;
      break;
    }
    if (wants(topic::control))
      out_->push_back({topic::control, control_event{plan_.identity, asked, clock_}});
  }
}

void strategy_core::provide(loaded_series minutes) {
  had_candles_ = had_candles_ || !held_minutes_->empty();
  told_no_candles_ = told_no_candles_ && !had_candles_;
  market_.provide(std::move(minutes));
  held_minutes_ = market_.shared_minutes();
  minutes_ = series_cursor{*held_minutes_};
  prices_ = market_.prices_of_minutes();
}

bool strategy_core::end_if_idle() {
  notice_stop();
  if (over_ || !machine_.stopped() || machine_.state() != signal_state::idle ||
      waiting_ != waiting_for::nothing)
    return false;
  cut_short_ = true;
  over_ = true;
  return true;
}

run_memory strategy_core::memory() const {
  return {
      memory_until() - minute_ms, machine_.memory(), paused_, announced_profit_, announced_loss_,
      told_no_candles_,           counters_};
}

std::optional<instant> strategy_core::quiet_until() const noexcept {
  const bool is_idle = waiting_ == waiting_for::nothing && !over_ && !machine_.stopped() &&
                       machine_.state() == signal_state::idle && commands_.empty();
  if (!is_live() || !is_idle || clock_ < granted_until_ || plan_.frame.step != minute_ms ||
      callback_interest_.has(tick_action::idle))
    return std::nullopt;
  const instant last = std::min(plan_.frame.last, plan_.data_end);
  const instant until = std::min(next_generation(clock_), last + minute_ms);
  return until > granted_until_ ? std::optional{until} : std::nullopt;
}

/// As if it had been asked, and had had nothing to say.
void strategy_core::pass_quietly(instant until) noexcept {
  clock_ = std::max(clock_, until);
  granted_until_ = std::max(granted_until_, until);
}

void strategy_core::announce(const std::vector<callback_failure>& failures,
                             std::vector<event>& out) {
  out_ = &out;
  for (const auto& failure : failures)
    emit_risk_callback_error(failure.text, failure.when);
  for (const auto& tell : std::exchange(announcements_, {}))
    tell();
}

strategy_core::next_step strategy_core::resume() {
  switch (waiting_) {
  case waiting_for::opening:
  case waiting_for::scheduling:
    if (!verdict_)
      return pause_reason::ask_risk;
    return decide_opening(waiting_ == waiting_for::opening);
  case waiting_for::activation:
    if (!verdict_)
      return pause_reason::ask_risk;
    return decide_activation();
  case waiting_for::milestones: {
    if (!levels_)
      return pause_reason::ask_milestones;
    waiting_ = waiting_for::nothing;
    const auto levels = *std::exchange(levels_, std::nullopt);
    for (const int level : levels)
      tell_level(
          {plan_.identity, machine_.signal(), milestone_.side, level, candidate_price_, clock_});
    tell_active(clock_, candidate_price_);
    return pass(clock_);
  }
  case waiting_for::source: {
    if (!source_answer_ && !source_error_)
      return pause_reason::ask_source;
    waiting_ = waiting_for::nothing;
    tell_sizing_errors(clock_, std::exchange(sizing_errors_, {}));
    if (source_error_)
      return pass_without_source(clock_, *std::exchange(source_error_, std::nullopt));
    return consider(clock_, *std::exchange(source_answer_, std::nullopt));
  }
  case waiting_for::candles: waiting_ = waiting_for::nothing; break;
  case waiting_for::nothing: break;
  }
  return std::nullopt;
}

// Inlined by force: the compilers find it too long for the loop of a pending signal, where the call
// costs a third of the time.
[[gnu::always_inline]] inline strategy_core::reading strategy_core::read(instant when) noexcept {
  reading result;
  const auto count = minutes_.closed_at(when);
  const auto closed = minutes_.candles().first(count);
  if (prices_ && minutes_.ends_at(count, when))
    return {true, prices_->prices[count - 1], &closed.back()};
  const auto minutes = plan_.rules.parameters.avg_price_candles_count;
  if (has_price_window(closed, when, minutes)) {
    result.has_price = true;
    result.price = windowed_price(closed, when, minutes);
    if (closed.back().open_time == when - minute_ms)
      result.closed = &closed.back();
  }
  return result;
}

/// Takes the position of `machine` through minutes that leave it open, straight along prices worked
/// out ahead; the first instant from `when` on that must be looked at by itself.
instant strategy_core::pass_quiet_minutes(signal_machine& machine, instant when,
                                          instant until) noexcept {
  if (!prices_ || plan_.rules.exit_fill != fill_model::vwap)
    return when;
  until = std::min({until, machine.expires_at(), plan_.data_end + 1});
  const auto closed = minutes_.closed_at(when);
  const auto candles = minutes_.candles();
  if (until <= when || !minutes_.ends_at(closed, when))
    return when;
  auto count = std::min(static_cast<std::size_t>((until - when + minute_ms - 1) / minute_ms),
                        candles.size() - (closed - 1));
  const auto is_whole = [&] { // a gap has no price of its own
    return minutes_.is_whole() ||
           candles[closed - 1 + count - 1].open_time - candles[closed - 1].open_time ==
               static_cast<instant>(count - 1) * minute_ms;
  };
  while (!is_whole())
    count /= 2;
  const auto passed = machine.pass_active({&prices_->prices[closed - 1], count});
  return when + static_cast<instant>(passed) * minute_ms;
}

[[gnu::always_inline]] inline instant
strategy_core::next_generation(instant from) const noexcept {
  const auto at_or_after = [this](instant when) {
    // Instants of a run are whole minutes, so in the usual frame every one of them counts.
    return plan_.frame.step == minute_ms ? std::max(when, plan_.frame.first)
                                         : plan_.frame.at_or_after(when);
  };
  const instant next = at_or_after(from);
  return machine_.slot_free(next) ? next : at_or_after(machine_.next_slot());
}

/// From one generation to the next, as long as nothing comes of them.
strategy_core::next_step strategy_core::advance_idle() {
  do {
    if (machine_.stopped()) {
      cut_short_ = plan_.frame.at_or_after(clock_) <= plan_.frame.last;
      return finish();
    }
    const instant when =
        watches_idle() ? plan_.frame.at_or_after(clock_) : next_generation(clock_);
    if (when > plan_.frame.last || when > plan_.data_end)
      return finish_without_data();
    clock_ = when;
    if (when >= until_)
      return pause_reason::range_done;
    cancel_asked_ = close_asked_ = false; // whatever they were for is over
    if (!may_generate() || !machine_.slot_free(when)) {
      emit_idle(when);
      pass(when);
    } else if (const auto paused = generate(when)) {
      return paused;
    }
    notice_stop();
  } while (goes_on() && machine_.state() == signal_state::idle);
  return std::nullopt;
}

strategy_core::next_step strategy_core::advance_scheduled() {
  while (clock_ < until_ && out_->size() < grant_->max_events) {
    if (clock_ > plan_.data_end)
      return go_behind_data();
    notice_stop();
    const auto now = read(clock_);
    const double price = now.has_price ? now.price : machine_.last_price();
    switch (machine_.examine_scheduled(clock_, now.price_or_null(), now.closed)) {
    case scheduled_step::waiting:
      if (cancel_asked_) {
        cancel(clock_, cancel_reason::user, price);
        break;
      }
      if (wants(tick_action::waiting) && now.has_price)
        emit(tick_action::waiting, clock_, price);
      clock_ += minute_ms;
      continue;
    case scheduled_step::entry_reached:
      candidate_ = std::make_shared<signal_row>(*machine_.signal());
      candidate_->pending_at = clock_;
      return ask_risk(clock_, waiting_for::activation, request_of(*candidate_), price);
    case scheduled_step::price_reject: cancel(clock_, cancel_reason::price_reject, price); break;
    case scheduled_step::timeout: cancel(clock_, cancel_reason::timeout, price); break;
    case scheduled_step::stopped:
      cut_short_ = true;
      cancel(clock_, cancel_reason::stopped, price);
      break;
    }
    return std::nullopt; // idle now, at the same instant
  }
  return std::nullopt;
}

strategy_core::next_step strategy_core::advance_pending() {
  const bool watched = watches_position();
  while (clock_ < until_ && out_->size() < grant_->max_events) {
    if (!watched && !close_asked_)
      clock_ = pass_quiet_minutes(machine_, clock_, until_);
    if (clock_ >= until_)
      break;
    if (clock_ > plan_.data_end)
      return go_behind_data();
    const auto now = read(clock_);
    const auto step = machine_.examine_pending(clock_, now.price_or_null(), now.closed);
    if (step != pending_step::active) {
      close(clock_, reason_of(step), machine_.result_of(step));
      return std::nullopt; // idle now, at the same instant
    }
    if (close_asked_) {
      close(clock_, close_reason::user, machine_.result_at(machine_.last_price()));
      return std::nullopt;
    }
    if (watched && now.has_price) {
      if (watch(clock_, now.price)) {
        candidate_price_ = now.price;
        waiting_ = waiting_for::milestones;
        return pause_reason::ask_milestones;
      }
      tell_active(clock_, now.price);
    }
    clock_ += minute_ms;
  }
  return std::nullopt;
}

// -- generating -----------------------------------------------------------------------------------

[[gnu::always_inline]] inline strategy_core::next_step strategy_core::generate(instant when) {
  const auto count = minutes_.closed_at(when);
  if (!minutes_.ends_at(count, when) &&
      !has_price_window(minutes_.candles().first(count), when,
                        plan_.rules.parameters.avg_price_candles_count))
    return pass_without_price(when);
  machine_.use_slot(when);
  if (watches_performance())
    frame_began_ = work_so_far();
  if (plan_.source_is_actor) {
    waiting_ = waiting_for::source;
    return pause_reason::ask_source;
  }
  auto request = call_source(when);
  if (sizer_.has_callback_errors())
    tell_sizing_errors(when, sizer_.take_callback_errors());
  if (source_error_)
    return pass_without_source(when, *std::exchange(source_error_, std::nullopt));
  if (late())
    return pass_without_source(
        when, {error_code::signal_timeout,
               fmt::format("get_signal of {} on {} at {} took longer than {} s",
                           plan_.identity->strategy_name, plan_.identity->symbol, to_iso(when),
                           plan_.rules.parameters.max_signal_generation_seconds)});
  if (!request) { // by far the usual answer
    emit_idle(when);
    return pass(when);
  }
  return consider(when, std::move(request));
}

strategy_core::next_step strategy_core::pass_without_price(instant when) {
  const auto candles = minutes_.candles();
  const bool is_first = !had_candles_ && (candles.empty() || when <= candles.front().open_time);
  if (is_first && std::exchange(told_no_candles_, true))
    return pass(when);
  auto text =
      fmt::format("no candles data of {} in the {} minutes before {}", plan_.identity->symbol,
                  plan_.rules.parameters.avg_price_candles_count, to_iso(when));
  if (is_first && candles.empty())
    text += "; there are none yet, which is not told again";
  else if (is_first)
    text += fmt::format("; they begin at {}{}, until then this is not told again",
                        to_iso(candles.front().open_time),
                        candles.front().open_time > plan_.frame.last ? ", behind the frame" : "");
  emit_error(error_code::data_gap, std::move(text), when);
  return pass(when);
}

[[gnu::always_inline]] inline std::optional<signal_request>
strategy_core::call_source(instant when) {
  // Returned as it is: to move the answer costs as much as the rest of an instant without a signal.
  const struct question {
    series_market& market;
    ~question() { market.end_question(); }
  } asked{market_};
  try {
    return schema_.get_signal(run_context{*plan_.identity, when, market_, &sizer_});
  } catch (...) {
    source_error_ = error_of_source();
  }
  return std::nullopt;
}

strategy_core::next_step strategy_core::pass_without_source(instant when, error reason) {
  notice_stop();
  if (machine_.stopped()) { // its candles may have been given up for that; dropped as an answer is
    emit_idle(when);
    return pass(when);
  }
  const bool lacks_candles =
      reason.code == error_code::fetch_failed || reason.code == error_code::bad_candles;
  if (!is_live() && (lacks_candles || reason.code == error_code::signal_timeout))
    return fail(std::move(reason)); // going on would change the run's facts
  if (lacks_candles)
    machine_.free_slot(); // tried again at the next instant
  emit_error(reason.code, std::move(reason.message), when);
  emit_idle(when);
  return pass(when);
}

bool strategy_core::late() {
  if (!plan_.steady_clock)
    return false;
  const auto now = plan_.steady_clock->load(std::memory_order_relaxed);
  const auto elapsed = now - std::exchange(last_steady_, now);
  return elapsed > plan_.rules.parameters.max_signal_generation_seconds * 1000;
}

std::shared_ptr<signal_row> strategy_core::row_for(instant when, const signal_request& request,
                                                   double price, bool& immediate) const {
  const bool is_long = request.position == position_side::long_side;
  immediate = !request.price_open ||
              (is_long ? price <= *request.price_open : price >= *request.price_open);
  const auto& run = *plan_.identity;
  auto made = std::make_shared<signal_row>();
  auto& row = *made;
  row.id = request.id && !request.id->empty() ? *request.id : derived_id(run, when);
  row.symbol = run.symbol;
  row.strategy_name = run.strategy_name;
  row.exchange_name = run.exchange_name;
  row.position = request.position;
  row.note = request.note.empty() ? std::string{} : plain_text(request.note);
  row.price_open = request.price_open.value_or(price);
  row.price_take_profit = request.price_take_profit;
  row.price_stop_loss = request.price_stop_loss;
  row.minute_estimated_time = request.minute_estimated_time.value_or(
      plan_.rules.parameters.max_signal_lifetime_minutes);
  row.scheduled_at = when;
  if (immediate)
    row.pending_at = when;
  row.is_scheduled = !immediate;
  row.quantity = request.quantity;
  return made;
}

strategy_core::next_step strategy_core::consider(instant when,
                                                 std::optional<signal_request>&& request) {
  notice_stop(); // it may have come while the source was thinking
  if (!request || machine_.stopped()) {
    emit_idle(when);
    return pass(when);
  }
  const double price = read(when).price;
  bool immediate = false;
  candidate_ = row_for(when, *request, price, immediate);
  if (const auto broken = violations_of(*candidate_, immediate, price, plan_.rules.parameters);
      !broken.empty()) {
    emit_error(error_code::invalid_signal,
               fmt::format("invalid signal: {}", join_violations(broken)), when);
    emit_idle(when);
    return pass(when);
  }
  if (plan_.asks_risk && (!request->id || request->id->empty()))
    request->id = candidate_->id;
  return ask_risk(when, immediate ? waiting_for::opening : waiting_for::scheduling,
                  *std::move(request), price);
}

strategy_core::next_step strategy_core::ask_risk(instant when, waiting_for what,
                                                 signal_request&& request, double price) {
  candidate_price_ = price;
  if (!plan_.asks_risk)
    return what == waiting_for::activation ? decide_activation()
                                           : decide_opening(what == waiting_for::opening);
  waiting_ = what;
  const bool adds = what != waiting_for::scheduling;
  query_ = {when,
            adds,
            price,
            std::move(request),
            adds ? clock_after_opening(when) : when + minute_ms,
            next_generation(when + minute_ms)};
  return pause_reason::ask_risk;
}

instant strategy_core::clock_after_opening(instant when) noexcept {
  if (is_live())
    return when + minute_ms; // nobody knows
  // Follow the position without telling anybody: until it ends, this run neither asks nor ends.
  foreseen_.emplace(machine_);
  foreseen_->open(candidate_, &candidate_price_);
  instant next = when + minute_ms;
  const instant last = std::min(when + lookahead_minutes * minute_ms, plan_.data_end);
  while (next <= last) {
    next = pass_quiet_minutes(*foreseen_, next, last + 1);
    if (next > last)
      break;
    const auto now = read(next);
    if (foreseen_->examine_pending(next, now.price_or_null(), now.closed) != pending_step::active)
      break;
    next += minute_ms;
  }
  foreseen_until_ = next;
  return next;
}

/// False: it was refused, and that is told.
bool strategy_core::is_allowed(instant when) {
  waiting_ = waiting_for::nothing;
  if (!plan_.asks_risk)
    return true;
  auto verdict = *std::exchange(verdict_, std::nullopt);
  if (verdict.stopped) {
    notice_stop();
    foreseen_.reset();
    return false;
  }
  if (!verdict.callback_error.empty())
    emit_risk_callback_error(verdict.callback_error, when);
  waiting_decisions_ += verdict.has_waiting_callbacks;
  if (!verdict.allowed)
    refuse(std::move(verdict), when);
  return verdict.allowed;
}

void strategy_core::refuse(risk_verdict&& verdict, instant when) {
  foreseen_.reset();
  candidate_.reset();
  ++counters_.risk_rejections;
  if (!verdict.validation_error.empty() && wants(topic::validation))
    out_->push_back({topic::validation,
                     error_event{error_code::risk_validation_failed, verdict.validation_error,
                                 "risk", when, plan_.identity}});
  if (wants(topic::risk))
    out_->push_back({topic::risk, risk_event{plan_.identity, std::move(verdict.risk_name),
                                             std::move(query_.request), candidate_price_,
                                             verdict.active_position_count,
                                             std::move(verdict.comment), when}});
}

strategy_core::next_step strategy_core::decide_opening(bool adds) {
  const instant when = clock_;
  if (!is_allowed(when)) {
    candidate_.reset();
    emit_idle(when);
    return pass(when);
  }
  if (adds)
    return open_position(when, &candidate_price_);
  machine_.schedule(std::exchange(candidate_, nullptr), candidate_price_);
  ++counters_.scheduled;
  if (wants(tick_action::scheduled))
    emit(tick_action::scheduled, when, candidate_price_);
  return pass(when);
}

strategy_core::next_step strategy_core::decide_activation() {
  const instant when = clock_;
  if (!is_allowed(when)) {
    if (machine_.stopped() && candidate_) { // nobody decided
      candidate_.reset();
      cut_short_ = true;
      cancel(when, cancel_reason::stopped, candidate_price_);
      return std::nullopt; // idle now, at the same instant
    }
    cancel(when, cancel_reason::risk_reject, candidate_price_);
    return pass(when); // this instant is over
  }
  const auto now = read(when);
  return open_position(when, now.price_or_null());
}

strategy_core::next_step strategy_core::open_position(instant when, const double* price) {
  machine_.open(std::exchange(candidate_, nullptr), price);
  ++counters_.opened;
  announced_profit_ = announced_loss_ = 0;
  if (watches_performance())
    signal_began_ = work_so_far();
  notify_write(machine_.signal());
  cancel_asked_ = false;
  if (wants(tick_action::opened))
    emit(tick_action::opened, when, machine_.signal()->price_open);
  const auto passed = pass(when);
  if (const auto foreseen = std::exchange(foreseen_, std::nullopt);
      foreseen && !watches_position() && foreseen_until_ <= until_) {
    machine_ = *foreseen; // nobody is told about the minutes in between
    clock_ = foreseen_until_;
  }
  return passed;
}

// -- a signal's life ------------------------------------------------------------------------------

bool strategy_core::watch(instant, double price) {
  const auto crossed = [&](milestone_side side, double progress, int& announced) {
    const int tens = levels_crossed(progress);
    if (tens <= announced)
      return false;
    announced = tens;
    milestone_ = {machine_.signal()->id, side, tens};
    return true;
  };
  if (wants(topic::partial_profit) &&
      crossed(milestone_side::profit, machine_.progress_to_target(price), announced_profit_))
    return true;
  return wants(topic::partial_loss) &&
         crossed(milestone_side::loss, machine_.progress_to_stop(price), announced_loss_);
}

/// Live tells callbacks only of what has become durable.
template <class Tell>
void strategy_core::announce_or_tell(Tell tell) {
  if (is_live())
    announcements_.emplace_back(std::move(tell));
  else
    tell();
}

void strategy_core::tell_level(partial_event reached) {
  const bool is_profit = reached.side == milestone_side::profit;
  const auto on = is_profit ? topic::partial_profit : topic::partial_loss;
  if (callback_interest_.has(on))
    announce_or_tell([this, is_profit, reached] {
      const auto& user = schema_.callbacks;
      call(is_profit ? user.on_partial_profit : user.on_partial_loss,
           is_profit ? "on_partial_profit" : "on_partial_loss", reached.timestamp, reached);
    });
  if (grant_->wanted.has(on))
    out_->push_back({on, std::move(reached)});
}

void strategy_core::tell_active(instant when, double price) {
  if (!wants(tick_action::active))
    return;
  emit(tick_action::active, when, price, [&](tick_result& result) {
    result.percent_tp = machine_.progress_to_target(price);
    result.percent_sl = machine_.progress_to_stop(price);
  });
}

void strategy_core::close(instant when, close_reason reason, const position_result& outcome) {
  ++counters_.closed;
  if (wants(tick_action::closed))
    emit(tick_action::closed, when, outcome.price_close, [&](tick_result& result) {
      result.close_timestamp = when;
      result.closed_by = reason;
      result.pnl = profit_and_loss{outcome.pnl_percentage, machine_.signal()->price_open,
                                   outcome.price_close};
      result.peak_pnl = outcome.peak_pnl;
      result.fall_pnl = outcome.fall_pnl;
    });
  notify_write(nullptr);
  close_asked_ = false;
  if (plan_.asks_risk)
    ends_.push_back(when);
  if (announced_profit_ > 0 || announced_loss_ > 0)
    closed_ids_.push_back(machine_.signal()->id);
  machine_.end();
  if (signal_began_)
    emit_performance(metric_type::backtest_signal, *std::exchange(signal_began_, std::nullopt));
}

void strategy_core::cancel(instant when, cancel_reason reason, double price) {
  ++counters_.cancelled;
  if (wants(tick_action::cancelled))
    emit(tick_action::cancelled, when, price, [&](tick_result& result) {
      result.close_timestamp = when;
      result.cancelled_by = reason;
    });
  cancel_asked_ = false;
  machine_.end();
}

strategy_core::next_step strategy_core::finish() {
  over_ = true;
  return pause_reason::finished;
}

/// A signal lives on where the candles end, unless there are more than were asked for.
strategy_core::next_step strategy_core::go_behind_data() {
  if (plan_.candles_until >= followed_until())
    return finish_without_data();
  waiting_ = waiting_for::candles;
  return pause_reason::ask_candles;
}

std::pair<instant, instant> strategy_core::wanted_candles() const noexcept {
  const instant from = plan_.candles_until;
  // Where the signal has ended at the latest; behind that only to tell a gap from the data's end.
  const auto& parameters = plan_.rules.parameters;
  const auto& signal = *machine_.signal();
  const instant last_opening = signal.pending_at.value_or(
      signal.scheduled_at + parameters.schedule_await_minutes * minute_ms);
  const instant ended = last_opening + signal.minute_estimated_time * minute_ms;
  const instant until = from < ended ? ended : followed_until();
  return {from, std::max(from + minute_ms, std::min(until, align_down(from, day_ms) + day_ms))};
}

void strategy_core::add_candles(loaded_series minutes) {
  const instant until = minutes.until;
  if (until <= plan_.candles_until) {
    plan_.candles_until = end_of_time; // it has no more
    return;
  }
  provide(std::move(minutes));
  plan_.candles_until = until;
  plan_.data_end = std::max(plan_.data_end, held_minutes_->end(plan_.data_end));
}

void strategy_core::candles_failed(error reason) {
  const auto& signal = *machine_.signal();
  plan_.data_end_problem =
      error{reason.code, fmt::format("candles of {} behind {} cannot be had, so signal {} is not "
                                     "followed further: {}",
                                     plan_.identity->symbol, to_iso(plan_.candles_until), signal.id,
                                     reason.message)};
  plan_.candles_until = end_of_time;
}

strategy_core::next_step strategy_core::finish_without_data() {
  if (auto problem = std::exchange(plan_.data_end_problem, std::nullopt);
      problem && (machine_.state() != signal_state::idle || plan_.frame.last > plan_.data_end))
    emit_error(problem->code, std::move(problem->message),
               std::max(plan_.data_end, plan_.frame.first), "exchange");
  if (plan_.frame.last > plan_.data_end)
    emit_error(error_code::data_ended, text_of_data_end(plan_, !minutes_.candles().empty()),
               std::max(plan_.data_end, plan_.frame.first), "exchange");
  if (machine_.state() != signal_state::idle)
    ++counters_.unfinished;
  saw_frame_end_ = true;
  return finish();
}

strategy_core::next_step strategy_core::fail(error reason) {
  failure_ = std::move(reason);
  over_ = true;
  return pause_reason::failed;
}

void strategy_core::source_failed(error reason) { source_error_ = std::move(reason); }

std::int64_t strategy_core::gaps() const noexcept {
  return market_.minutes().empty() ? minutes_since(plan_.frame.first).missing
                                   : minutes_since_listing().missing;
}

minute_counts strategy_core::minutes_since_listing() const noexcept {
  const auto& minutes = market_.minutes();
  if (minutes.empty())
    return {};
  return minutes_since(std::max(plan_.frame.first, minutes.candles.front().open_time));
}

minute_counts strategy_core::minutes_since(instant first) const noexcept {
  // The clock of an idle run stays where it could last generate.
  const instant reached = saw_frame_end_ ? plan_.frame.last : clock_;
  const instant last = std::min({plan_.frame.last, plan_.data_end, reached});
  if (last <= first)
    return {};
  series_cursor counter{market_.minutes()};
  const auto before = counter.closed_at(first);
  const auto present = counter.closed_at(last) - before;
  const auto expected = (last - first) / minute_ms;
  return {expected, expected - static_cast<std::int64_t>(present)};
}

absent_candles strategy_core::before_first_candle() const noexcept {
  const auto& minutes = market_.minutes();
  if (minutes.empty())
    return {cut_short_ ? processed_instants() : plan_.frame.count(), std::nullopt};
  const instant first = minutes.candles.front().open_time;
  const auto absent = plan_.frame.passed(first + 1);
  if (absent == 0)
    return {};
  return {cut_short_ ? std::min(absent, processed_instants()) : absent, first};
}

// -- telling --------------------------------------------------------------------------------------

void strategy_core::describe(tick_result& result, tick_action action, instant when,
                             double price) const {
  result.action = action;
  result.run = plan_.identity;
  result.current_price = price;
  result.timestamp = when;
  result.signal = machine_.signal();
  result.caught_up = grant_ != nullptr && grant_->caught_up;
}

template <class Callback, class... Args>
void strategy_core::call(const Callback& callback, const char* name, instant when,
                         const Args&... args) {
  if (!callback)
    return;
  if (is_halted()) {
    until_ = INT64_MIN;
    return;
  }
  const place_mark inside{calling_place::strategy, nullptr, schema_.strategy_name};
  if (const auto thrown = thrown_text([&] { callback(args...); }))
    emit_error(error_code::callback_failed, fmt::format("{} threw: {}", name, *thrown), when);
}

template <class Complete>
void strategy_core::emit(tick_action action, instant when, double price, Complete complete) {
  if (callback_interest_.has(action)) {
    tick_result result;
    describe(result, action, when, price);
    complete(result);
    if (is_live())
      announcements_.emplace_back([this, result] { tell_callbacks(result); });
    else
      tell_callbacks(result);
    if (grant_->wanted.has(action))
      next_tick() = std::move(result);
  } else {
    auto& result = next_tick(); // where it stays
    describe(result, action, when, price);
    complete(result);
  }
}

void strategy_core::emit(tick_action action, instant when, double price) {
  emit(action, when, price, [](tick_result&) {});
}

tick_result& strategy_core::next_tick() {
  const auto on = signal_topic(plan_.identity->mode);
  if (idle_) // it was before this
    out_->push_back({on, tick_of(*std::exchange(idle_, std::nullopt))});
  auto& told = out_->emplace_back();
  told.on = on;
  return std::get<tick_result>(told.payload);
}

void strategy_core::tell_callbacks(const tick_result& result) {
  const auto& user = schema_.callbacks;
  const instant when = result.timestamp;
  switch (result.action) {
  case tick_action::idle: call(user.on_idle, "on_idle", when, result); break;
  case tick_action::scheduled: call(user.on_schedule, "on_schedule", when, result); break;
  case tick_action::waiting: break;
  case tick_action::opened: call(user.on_open, "on_open", when, result); break;
  case tick_action::active: call(user.on_active, "on_active", when, result); break;
  case tick_action::closed: call(user.on_close, "on_close", when, result); break;
  case tick_action::cancelled: call(user.on_cancel, "on_cancel", when, result); break;
  }
  call(user.on_tick, "on_tick", when, result);
}

void strategy_core::tell_idle(instant when) {
  const auto now = read(when);
  if (!now.has_price)
    return;
  if (wants(tick_action::idle))
    emit(tick_action::idle, when, now.price);
  if (grant_->wanted.has(tick_action::idle) || !grant_->wanted.has_newest_idle())
    return;
  if (!idle_)
    idle_.emplace().run = plan_.identity;
  idle_->timestamp = when;
  idle_->current_price = now.price;
  idle_->caught_up = grant_->caught_up;
}

void strategy_core::emit_error(error_code code, std::string message, instant when,
                               const char* source) {
  if (wants(topic::error))
    out_->push_back(
        {topic::error, error_event{code, std::move(message), source, when, plan_.identity}});
}

void strategy_core::emit_risk_callback_error(const std::string& thrown, instant when) {
  emit_error(error_code::callback_failed,
             fmt::format("a callback of a risk profile threw: {}", thrown), when, "risk");
}

void strategy_core::tell_sizing_errors(instant when, std::vector<std::string> texts) {
  for (auto& text : texts)
    emit_error(error_code::callback_failed, std::move(text), when, "sizing");
}

double strategy_core::work_so_far() const {
  return work_ms_ + plan_.stopwatch() - work_began_ms_;
}

void strategy_core::emit_performance(metric_type metric, double began) {
  if (!watches_performance())
    return; // nobody asks any more
  const instant timestamp = plan_.wall_clock();
  auto& previous = previous_performance_[static_cast<std::size_t>(metric)];
  out_->push_back({topic::performance, performance_event{plan_.identity, metric, work_so_far() - began,
                                                         timestamp, previous}});
  previous = timestamp;
}

void strategy_core::notify_write(const shared_signal& row) {
  if (!schema_.callbacks.on_write)
    return;
  announce_or_tell([this, row, when = clock_] {
    call(schema_.callbacks.on_write, "on_write", when, *plan_.identity, row.get());
  });
}

} // namespace backtest
