#include "tools/saved_reports.hpp"

#include "tools/saved_walks.hpp"

#include <algorithm>
#include <tuple>

namespace backtest::tools {

namespace {

auto order_of(const run_identity& run) { return std::tie(run.strategy_name, run.symbol); }

} // namespace

saved_reports::saved_reports(const recorded_run& run, const configuration& parameters,
                             std::vector<event> events,
                             const std::map<std::string, shared_series>& candles)
    : parameters_(parameters), candles_(candles), walks_(saved_walks(run, parameters, events)),
      book_(report_set::all()) {
  const auto mode = run.command == "live" ? run_mode::live : run_mode::backtest;
  if (const auto bounds = bounds_of(run); bounds && mode == run_mode::backtest)
    bounds_ = run_bounds{bounds->first, bounds->second, {}, {}};
  for (const auto& item : events) {
    const auto* problem = std::get_if<error_event>(&item.payload);
    if (problem != nullptr && problem->code == error_code::data_ended && problem->run &&
        problem->timestamp)
      data_ends_[{problem->run->symbol, problem->run->strategy_name}] = *problem->timestamp;
    const auto* done = std::get_if<done_event>(&item.payload);
    if (done != nullptr && done->outcome == run_outcome::failed)
      failed_.emplace(done->run->symbol, done->run->strategy_name);
  }
  for (const auto& symbol : run.symbols)
    for (const auto& strategy : run.strategies)
      start(std::make_shared<run_identity>(run_identity{
          symbol, strategy, run.exchange, mode == run_mode::live ? "" : run.frame, mode}));
  for (const auto& item : events)
    if (const auto& names = identity_of(item))
      start(names);
  book_.combine(runs_, parameters_);
  for (auto& item : events) {
    note(item);
    book_.apply(std::move(item));
  }
  std::sort(runs_.begin(), runs_.end(),
            [](const auto& left, const auto& right) { return order_of(*left) < order_of(*right); });
}

/// Every run that is heard of, once.
void saved_reports::start(const shared_identity& run) {
  const auto is_known = std::any_of(runs_.begin(), runs_.end(), [&](const auto& known) {
    return order_of(*known) == order_of(*run) && known->mode == run->mode;
  });
  if (is_known)
    return;
  runs_.push_back(run);
  book_.start(run, parameters_);
  if (bounds_ && failed_.count({run->symbol, run->strategy_name}) == 0)
    book_.set_bounds(*run, bounds_of_run(*run));
}

run_bounds saved_reports::bounds_of_run(const run_identity& run) const {
  auto bounds = *bounds_;
  if (const auto end = data_ends_.find({run.symbol, run.strategy_name}); end != data_ends_.end())
    bounds.end = std::min(bounds.end, end->second);
  const auto found = candles_.find(run.symbol);
  if (found == candles_.end() || !found->second)
    return bounds;
  const auto& minutes = found->second->candles;
  const auto opens_before = [](const candle& item, instant when) { return item.open_time < when; };
  const auto begin = std::lower_bound(minutes.begin(), minutes.end(), bounds.start, opens_before);
  const auto end = std::lower_bound(begin, minutes.end(), bounds.end, opens_before);
  if (begin != end) {
    bounds.first_close = begin->close;
    bounds.last_close = (end - 1)->close;
  }
  return bounds;
}

const trade_ledger* saved_reports::find_ledger(const std::string& symbol,
                                               const std::string& strategy) const {
  return book_.find_ledger(symbol, strategy, run_mode::backtest);
}

trade_statistics saved_reports::portfolio_statistics() const {
  return book_.portfolio_statistics(runs_, parameters_);
}

void saved_reports::note(const event& item) {
  const auto& run = identity_of(item);
  if (!run)
    return;
  const auto told = [&](report_kind kind) { told_.emplace(kind, run->strategy_name, run->symbol); };
  if (const auto* tick = std::get_if<tick_result>(&item.payload)) {
    const bool is_scheduled = tick->signal && tick->signal->is_scheduled;
    if (tick->action == tick_action::closed)
      told(report_kind::heat);
    else if (is_scheduled && tick->action != tick_action::active)
      told(report_kind::schedule);
  } else if (std::holds_alternative<partial_event>(item.payload)) {
    told(report_kind::partial);
  } else if (std::holds_alternative<risk_event>(item.payload)) {
    told(report_kind::risk);
  } else if (std::holds_alternative<performance_event>(item.payload)) {
    told(report_kind::performance);
  }
}

std::string saved_reports::pages() const {
  const auto backtest_columns = default_backtest_columns(parameters_.report_show_signal_note);
  const auto live_columns = default_live_columns(parameters_.report_show_signal_note);
  std::string out;
  for (const auto& walk : walks_)
    out += (out.empty() ? "" : "\n") +
           walk.markdown(default_walker_strategy_columns(), default_walker_pnl_columns());
  for (const auto& run : runs_) {
    if (!out.empty())
      out += '\n';
    if (const auto* past = book_.find_backtest(run->symbol, run->strategy_name))
      out += past->markdown(backtest_columns);
    else if (const auto* live = book_.find_live(run->symbol, run->strategy_name))
      out += live->markdown(live_columns);
  }
  return out;
}

void saved_reports::write(const std::filesystem::path& directory) const {
  const bool notes = parameters_.report_show_signal_note;
  for (const auto& walk : walks_)
    walk.dump(directory, default_walker_strategy_columns(), default_walker_pnl_columns());
  for (const auto& run : runs_) {
    const auto& symbol = run->symbol;
    const auto& strategy = run->strategy_name;
    const auto dump = [&](report_kind kind, const auto* report, const auto& columns) {
      const bool is_told = kind == report_kind::backtest || kind == report_kind::live ||
                           told_.contains({kind, strategy, symbol});
      if (report != nullptr && is_told)
        report->dump(directory, columns);
    };
    dump(report_kind::backtest, book_.find_backtest(symbol, strategy),
         default_backtest_columns(notes));
    dump(report_kind::live, book_.find_live(symbol, strategy), default_live_columns(notes));
    dump(report_kind::schedule, book_.find_schedule(symbol, strategy, run->mode),
         default_schedule_columns(notes));
    dump(report_kind::performance, book_.find_performance(symbol, strategy, run->mode),
         default_performance_columns());
    dump(report_kind::partial, book_.find_partial(symbol, strategy, run->mode),
         default_partial_columns());
    dump(report_kind::risk, book_.find_risk(symbol, strategy, run->mode),
         default_risk_columns(notes));
    dump(report_kind::heat, book_.find_heat(strategy, run->mode), default_heat_columns());
  }
}

} // namespace backtest::tools
