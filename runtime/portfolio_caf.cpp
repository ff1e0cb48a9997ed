#include "runtime/portfolio.hpp"

#include "actors/exchange/exchange_actor.hpp"

#include <algorithm>
#include <set>

namespace backtest {

// -- portfolio_record
// ---------------------------------------------------------------------------------

void run_alarm::ring() {
  const std::lock_guard lock{mutex_};
  ++changes_;
  changed_.notify_all();
}

void run_alarm::wait_until(const std::function<bool()>& is_met) {
  std::unique_lock lock{mutex_};
  for (;;) {
    const auto seen = changes_;
    lock.unlock(); // what is asked has locks of its own, and rings while it holds none
    if (is_met())
      return;
    lock.lock();
    changed_.wait(lock, [&] { return changes_ != seen; });
  }
}

portfolio_record::portfolio_record(std::uint64_t id, std::vector<shared_identity> runs,
                                   instant started_at, std::shared_ptr<run_alarm> alarm)
    : id_(id), alarm_(std::move(alarm)) {
  for (auto& identity : runs) {
    statuses_.push_back(
        {id, *identity, run_state::pending, started_at, std::nullopt, std::nullopt});
    run_summary summary;
    summary.identity = std::move(identity);
    summaries_.push_back(std::move(summary));
  }
}

void portfolio_record::finish_run(std::size_t run, run_summary summary, instant finished_at) {
  {
    const std::lock_guard lock{mutex_};
    statuses_[run].state =
        summary.outcome == run_outcome::failed ? run_state::rejected : run_state::fulfilled;
    statuses_[run].finished_at = finished_at;
    statuses_[run].problem = summary.problem;
    summaries_[run] = std::move(summary);
  }
  if (alarm_)
    alarm_->ring();
}

void portfolio_record::count_errors(std::size_t run, std::int64_t errors) {
  const std::lock_guard lock{mutex_};
  summaries_[run].errors = errors;
}

void portfolio_record::finish(std::optional<error> problem) {
  std::vector<std::function<void()>> told;
  {
    const std::lock_guard lock{mutex_};
    for (std::size_t run = 0; run < statuses_.size(); ++run)
      if (statuses_[run].state == run_state::pending) { // it never came to an end of its own
        statuses_[run].state = problem ? run_state::rejected : run_state::fulfilled;
        statuses_[run].problem = problem;
        summaries_[run].outcome = problem ? run_outcome::failed : run_outcome::stopped;
        summaries_[run].problem = problem;
      }
    finished_ = true;
    told.swap(told_);
    over_.notify_all();
  }
  if (alarm_)
    alarm_->ring();
  for (const auto& tell : told)
    tell();
}

void portfolio_record::when_finished(std::function<void()> tell) {
  {
    const std::lock_guard lock{mutex_};
    if (!finished_) {
      told_.push_back(std::move(tell));
      return;
    }
  }
  tell();
}

bool portfolio_record::is_idle() const {
  const std::lock_guard lock{mutex_};
  return std::none_of(statuses_.begin(), statuses_.end(),
                      [](const auto& item) { return item.is_running(); });
}

bool portfolio_record::finished() const {
  const std::lock_guard lock{mutex_};
  return finished_;
}

void portfolio_record::wait() const {
  std::unique_lock lock{mutex_};
  over_.wait(lock, [this] { return finished_; });
}

std::vector<run_summary> portfolio_record::summaries() const {
  const std::lock_guard lock{mutex_};
  return summaries_;
}

std::vector<run_status> portfolio_record::statuses() const {
  const std::lock_guard lock{mutex_};
  return statuses_;
}

// -- stream_channel
// -----------------------------------------------------------------------------------

void stream_channel::push(const std::vector<tick_result>& elements) {
  const std::lock_guard lock{mutex_};
  elements_.insert(elements_.end(), elements.begin(), elements.end());
  changed_.notify_all();
}

void stream_channel::close(std::optional<error> problem) {
  const std::lock_guard lock{mutex_};
  if (!closed_)
    problem_ = std::move(problem);
  closed_ = true;
  changed_.notify_all();
}

std::optional<tick_result> stream_channel::next(const std::function<void()>& ask) {
  std::unique_lock lock{mutex_};
  if (elements_.empty() && !closed_) {
    lock.unlock();
    ask();
    lock.lock();
    changed_.wait(lock, [this] { return closed_ || !elements_.empty(); });
  }
  if (!elements_.empty()) {
    auto element = std::move(elements_.front());
    elements_.pop_front();
    return element;
  }
  if (problem_)
    throw failure(*problem_);
  return std::nullopt;
}

std::vector<std::vector<std::string>> connected_profiles(const std::vector<portfolio_run>& runs) {
  std::vector<std::set<std::string>> groups;
  for (const auto& run : runs) {
    const auto named = profiles_of(*run.strategy);
    if (named.empty())
      continue;
    std::set<std::string> merged{named.begin(), named.end()};
    std::erase_if(groups, [&](const auto& group) {
      const bool touches = std::any_of(group.begin(), group.end(),
                                       [&](const auto& name) { return merged.count(name) > 0; });
      if (touches)
        merged.insert(group.begin(), group.end());
      return touches;
    });
    groups.push_back(std::move(merged));
  }
  std::vector<std::vector<std::string>> result;
  for (const auto& group : groups)
    result.emplace_back(group.begin(), group.end());
  return result;
}

awaited_by portfolio_setup::awaited(const std::vector<std::size_t>& by) const {
  awaited_by who{{}, halted};
  for (const auto run : by)
    who.runs.push_back(runs[run].stop);
  return who;
}

awaited_by portfolio_setup::awaited_by_all() const {
  awaited_by who{{}, halted};
  for (const auto& run : runs)
    who.runs.push_back(run.stop);
  return who;
}

load_candles minutes_for_run(const std::string& symbol, instant first, instant last,
                             const configuration& parameters) {
  load_candles asked{symbol, interval::m1, first - parameters.avg_price_candles_count * minute_ms,
                     last};
  asked.extent.emplace();
  asked.extent->welcome_from = align_down(std::min(first - day_ms, asked.from), day_ms);
  asked.extent->welcome_until = align_up(last, day_ms);
  asked.extent->fetches_before = true;
  return asked;
}

load_candles history_for_run(const std::string& symbol, instant first, instant last,
                             const configuration& parameters) {
  auto asked = minutes_for_run(symbol, first, last, parameters);
  asked.extent->welcome_until = last; // whoever needs more asks for it
  asked.patient = true;
  asked.beyond = last + followed_after(parameters);
  return asked;
}

run_plan plan_for(shared_identity identity, const timeline& frame, const candles_loaded& minutes,
                  trading_rules rules) {
  auto plan = plan_for(std::move(identity), frame, *minutes.loaded.series, std::move(rules));
  plan.data_end_problem = minutes.problem_beyond;
  plan.candles_until = minutes.problem_beyond ? end_of_time : minutes.loaded.until;
  return plan;
}

std::shared_ptr<run_setup> clients_setup(const portfolio_setup& setup, std::size_t run,
                                         const exchange_actor& exchange,
                                         const loaded_series& minutes, const risk_actor& arbiter,
                                         std::size_t participant, run_plan plan,
                                         const range_consumer_actor& driver) {
  const auto& chosen = setup.runs[run];
  auto prepared = std::make_shared<run_setup>();
  prepared->strategy = chosen.strategy;
  prepared->plan = std::move(plan);
  prepared->plan.asks_risk = static_cast<bool>(arbiter);
  prepared->plan.source_is_actor = static_cast<bool>(chosen.source) || chosen.strategy->blocking;
  prepared->plan.sizings = setup.sizings;
  prepared->plan.steady_clock = setup.steady_clock;
  prepared->plan.stopwatch = setup.stopwatch;
  prepared->plan.wall_clock = setup.wall_clock;
  prepared->plan.stop = chosen.stop;
  prepared->plan.halted = setup.halted;
  prepared->minutes = minutes;
  prepared->formats = formats_of(*setup.exchange);
  prepared->exchange = exchange;
  prepared->risk = arbiter;
  prepared->participant = participant;
  prepared->partial = setup.clients.partials;
  prepared->sizings = setup.clients.sizings;
  prepared->portfolio = setup.number;
  prepared->source = chosen.source;
  prepared->census = setup.census;
  prepared->driver = weak_handle<range_consumer_actor>{driver};
  prepared->run = run;
  return prepared;
}

report_run_bounds bounds_of(const shared_identity& run, instant start, instant end,
                            const candle_series& minutes) {
  report_run_bounds bounds{run, start, end, std::nullopt, std::nullopt};
  series_cursor cursor{minutes};
  const auto before = cursor.closed_at(bounds.start);
  const auto inside = cursor.closed_at(bounds.end);
  if (inside > before) {
    bounds.first_close = minutes.candles[before].close;
    bounds.last_close = minutes.candles[inside - 1].close;
  }
  return bounds;
}

// -- participants
// ---------------------------------------------------------------------------------------

std::vector<risk_participant> participants_of(const portfolio_setup& setup,
                                              const std::vector<std::string>& profiles) {
  std::vector<risk_participant> participants;
  for (const auto& run : setup.runs) {
    auto named = profiles_of(*run.strategy);
    if (!named.empty() &&
        std::find(profiles.begin(), profiles.end(), named.front()) != profiles.end())
      participants.push_back({run.identity, std::move(named), run.stop, setup.halted});
  }
  return participants;
}

} // namespace backtest
