#include "runtime/walk.hpp"

#include "runtime/report_book.hpp"
#include "runtime/runtime_core.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace backtest {

namespace {

/// Backtests under way for each that may work: one that is done waits for those before it, and what
/// it has to tell takes memory.
constexpr std::size_t under_way_for_each = 4;

} // namespace

walk::walk(runtime_core& core, walk_setup setup)
    : core_(&core), setup_(std::move(setup)),
      report_(*setup_.schema, setup_.identity->symbol, setup_.parameters) {}

std::optional<walker_event> walk::advance() {
  const std::lock_guard working{working_};
  if (core_ == nullptr || over_)
    return std::nullopt;
  try {
    while (next_ < setup_.backtests.size() && !stop_.stop_requested())
      if (auto element = backtest_next())
        return element;
    finish();
    return std::nullopt;
  } catch (const failure& problem) {
    fail(problem.reason());
    throw;
  } catch (const std::exception& problem) {
    const error reason{error_code::actor_failed,
                       fmt::format("walker {} on {}: {}", setup_.schema->walker_name,
                                   setup_.identity->symbol, problem.what())};
    fail(reason);
    throw failure(reason);
  }
}

void walk::stop() {
  stop_.request_stop();
  const std::lock_guard lock{mutex_};
  for (std::size_t i = 0; i < under_way_.size(); ++i)
    if (i == 0 && first_has_turn_)
      under_way_[i].stop();
    else // as if it had never begun
      under_way_[i].end_at_once();
}

void walk::leave() {
  stop();
  try {
    while (advance())
      ;
  } catch (const failure&) { // NOLINT: it was announced
  }
  const std::lock_guard working{working_};
  core_ = nullptr;
}

walker_report walk::report() const {
  const std::lock_guard lock{mutex_};
  return report_;
}

std::vector<run_summary> walk::summaries() const {
  const std::lock_guard lock{mutex_};
  return summaries_;
}

std::optional<walker_event> walk::backtest_next() {
  {
    const std::lock_guard lock{mutex_};
    if (stop_.stop_requested())
      return std::nullopt;
    first_has_turn_ = true;
  }
  const auto& run = *setup_.backtests[next_++]->runs.front().identity;
  call("on_strategy_start", setup_.schema->callbacks.on_strategy_start, run.strategy_name,
       run.symbol);
  const auto summary = finish_first();
  if (!summary)
    return std::nullopt;
  if (summary->outcome != run_outcome::failed)
    return take_result(*summary);
  take_failure(run, summary->problem.value_or(
                        error{error_code::actor_failed, "the backtest failed without a reason"}));
  return std::nullopt;
}

std::optional<run_summary> walk::finish_first() {
  start_ahead();
  started_run first;
  {
    const std::lock_guard lock{mutex_};
    if (under_way_.empty())
      return std::nullopt;
    first = under_way_.front();
  }
  first.take_turn();
  setup_.alarm->wait_until([&] {
    start_ahead();
    return first.record->finished();
  });
  const std::lock_guard lock{mutex_};
  under_way_.pop_front();
  first_has_turn_ = false;
  return first.record->summaries().front();
}

void walk::start_ahead() {
  while (has_room()) {
    const auto begun =
        core_->start_walked(setup_.backtests[begun_], [this](const started_run& run) {
          const std::lock_guard lock{mutex_};
          under_way_.push_back(run);
          if (!stop_.stop_requested())
            return;
          // The stop came before it was there to be told.
          if (under_way_.size() == 1 && first_has_turn_)
            under_way_.back().stop();
          else
            under_way_.back().end_at_once();
        });
    if (!begun)
      return;
    ++begun_;
  }
}

bool walk::has_room() const {
  const std::lock_guard lock{mutex_};
  if (begun_ == setup_.backtests.size())
    return false;
  if (under_way_.empty() && first_has_turn_)
    return true;
  if (stop_.stop_requested() || setup_.at_once == 1 ||
      under_way_.size() >= under_way_for_each * setup_.at_once)
    return false;
  const auto busy = std::count_if(under_way_.begin(), under_way_.end(),
                                  [](const auto& run) { return !run.record->is_idle(); });
  return static_cast<std::size_t>(busy) < setup_.at_once;
}

void walk::end_ahead() {
  std::deque<started_run> left;
  {
    const std::lock_guard lock{mutex_};
    left.swap(under_way_);
  }
  for (const auto& run : left)
    run.end_at_once();
  for (const auto& run : left)
    run.record->wait();
}

std::optional<walker_event> walk::take_result(const run_summary& summary) {
  const auto& run = *summary.identity;
  const bool partial = summary.outcome == run_outcome::stopped;
  backtest_report_data result;
  core_->with_reports([&](report_book& book) {
    if (const auto* report = book.find_backtest(run.symbol, run.strategy_name))
      result = report->data();
  });
  walker_event told;
  told.run = summary.identity;
  told.walker_name = setup_.schema->walker_name;
  told.statistics = std::make_shared<const trade_statistics>(result.statistics);
  told.metric = setup_.schema->metric;
  told.metric_value = metric_of(result.statistics, told.metric);
  told.partial = partial;
  walker_report_data so_far;
  {
    const std::lock_guard lock{mutex_};
    report_.add(run.strategy_name, std::move(result), partial);
    summaries_.push_back(summary);
    if (partial)
      report_.stop();
    so_far = report_.data();
  }
  told.best_strategy = so_far.best_strategy;
  told.best_metric = so_far.best_metric;
  told.strategies_tested = so_far.strategies_tested;
  told.total_strategies = so_far.total_strategies;
  if (!partial) {
    tell_progress();
    call("on_strategy_complete", setup_.schema->callbacks.on_strategy_complete, run.strategy_name,
         run.symbol, *told.statistics, told.metric_value);
  }
  tell(topic::walker, told);
  return told;
}

void walk::take_failure(const run_identity& run, const error& reason) {
  tell(topic::error, error_event{reason.code, reason.message, "walker", std::nullopt,
                                 std::make_shared<const run_identity>(run)});
  call("on_strategy_error", setup_.schema->callbacks.on_strategy_error, run.strategy_name,
       run.symbol, reason);
  {
    const std::lock_guard lock{mutex_};
    report_.add_failure(run.strategy_name);
  }
  tell_progress();
}

void walk::tell_progress() {
  walker_report_data so_far;
  {
    const std::lock_guard lock{mutex_};
    so_far = report_.data();
  }
  const auto processed = so_far.strategies_tested + so_far.strategies_failed;
  tell(topic::progress_walker, progress_walker{setup_.identity, so_far.total_strategies, processed,
                                               static_cast<double>(processed) /
                                                   static_cast<double>(so_far.total_strategies)});
}

void walk::finish() {
  walker_report_data result;
  {
    const std::lock_guard lock{mutex_};
    if (stop_.stop_requested())
      report_.stop();
    result = report_.data();
  }
  walker_complete told{setup_.identity,
                       result.metric,
                       result.total_strategies,
                       result.strategies_tested,
                       result.strategies_failed,
                       result.stopped,
                       result.best_strategy,
                       result.best_metric,
                       nullptr};
  if (result.best_statistics)
    told.best_statistics = std::make_shared<const trade_statistics>(*result.best_statistics);
  call("on_complete", setup_.schema->callbacks.on_complete, told);
  tell(topic::walker_complete, std::move(told));
  close(result.stopped ? run_outcome::stopped : run_outcome::completed, std::nullopt);
}

void walk::fail(const error& reason) {
  if (setup_.is_background) // a stream's consumer hears of it
    tell(topic::exit,
         error_event{reason.code, reason.message, "walker", std::nullopt, setup_.identity});
  close(run_outcome::failed, reason);
}

void walk::close(run_outcome outcome, std::optional<error> problem) {
  over_ = true;
  end_ahead();
  core_->release(*setup_.identity, setup_.schema->strategies);
  if (setup_.is_background)
    tell(topic::done_walker, done_event{setup_.identity, setup_.schema->walker_name, outcome});
  run_summary summary;
  summary.identity = setup_.identity;
  summary.outcome = outcome;
  summary.problem = std::move(problem);
  setup_.record->finish_run(0, std::move(summary), setup_.backtests.front()->wall_clock());
  setup_.record->finish(std::nullopt);
  setup_.backtests.clear(); // whoever keeps the walk must not keep their actors
}

void walk::tell(topic on, event_payload payload) { core_->tell({on, std::move(payload)}); }

template <class Function, class... Arguments>
void walk::call(const char* name, const Function& callback, const Arguments&... arguments) {
  if (!callback || core_->is_ending())
    return;
  const auto complain = [&](std::string_view what) {
    tell(topic::error,
         error_event{error_code::callback_failed,
                     fmt::format("walker {}: {} threw: {}", setup_.schema->walker_name, name, what),
                     "walker", std::nullopt, setup_.identity});
  };
  const place_mark inside{calling_place::walker, core_->census.get(), setup_.schema->walker_name};
  try {
    callback(arguments...);
  } catch (const std::exception& caught) {
    complain(caught.what());
  } catch (...) {
    complain("something that is not a std::exception");
  }
}

} // namespace backtest
