#include "runtime/report_book.hpp"

namespace backtest {

void report_book::start(const shared_identity& run, const configuration& parameters) {
  forget_known();
  run_reports& reports = runs_[key_of(*run)];
  reports = {};
  if (enabled_.has(report_kind::backtest) && run->mode == run_mode::backtest)
    reports.backtest.emplace(run, parameters);
  if (enabled_.has(report_kind::live) && run->mode == run_mode::live)
    reports.live.emplace(run, parameters);
  if (enabled_.has(report_kind::schedule))
    reports.schedule.emplace(run, parameters);
  if (enabled_.has(report_kind::performance))
    reports.performance.emplace(run, parameters);
  if (enabled_.has(report_kind::partial))
    reports.partial.emplace(run, parameters);
  if (enabled_.has(report_kind::risk))
    reports.risk.emplace(run, parameters);
  reports.heat = start_heat(*run, parameters);
}

void report_book::combine(const std::vector<shared_identity>& runs,
                          const configuration& parameters) {
  if (runs.size() < 2)
    return;
  const auto together =
      std::make_shared<trade_sample>(static_cast<std::size_t>(parameters.max_trade_sample));
  for (const auto& run : runs)
    if (run_reports* const reports = find(*run))
      reports->together = together;
}

/// Null when heat is not enabled.
heat_report* report_book::start_heat(const run_identity& run, const configuration& parameters) {
  const std::pair name{run.strategy_name, run.mode};
  if (!enabled_.has(report_kind::heat)) {
    if (const auto old = heats_.find(name); old != heats_.end())
      old->second.clear(run.symbol);
    return nullptr;
  }
  heat_report& heat =
      heats_.try_emplace(name, run.strategy_name, run.mode, parameters).first->second;
  heat.start(run.symbol, parameters);
  return &heat;
}

void report_book::set_bounds(const run_identity& run, const run_bounds& bounds) {
  run_reports* const reports = find(run);
  if (reports == nullptr)
    return;
  if (reports->backtest)
    reports->backtest->set_bounds(bounds);
  if (reports->live)
    reports->live->set_bounds(bounds);
  if (reports->heat != nullptr)
    reports->heat->set_bounds(run.symbol, bounds);
}

void report_book::apply(event&& item) {
  if (item.on == topic::signal)
    return; // told on the topic of its mode, too
  run_reports* const reports = reports_of(identity_of(item));
  if (reports == nullptr)
    return;
  if (auto* tick = std::get_if<tick_result>(&item.payload))
    return apply_tick(*reports, std::move(*tick));
  if (auto* milestone = std::get_if<partial_event>(&item.payload)) {
    if (reports->partial)
      reports->partial->apply(std::move(*milestone));
  } else if (auto* rejection = std::get_if<risk_event>(&item.payload)) {
    if (reports->risk)
      reports->risk->apply(std::move(*rejection));
  } else if (auto* measured = std::get_if<performance_event>(&item.payload)) {
    if (reports->performance)
      reports->performance->apply(std::move(*measured));
  }
}

void report_book::apply(const idle_stretch& stretch) {
  if (run_reports* const reports = reports_of(stretch.run); reports != nullptr && reports->live)
    reports->live->apply(tick_of(stretch));
}

void report_book::apply_tick(run_reports& reports, tick_result&& tick) {
  const std::uint64_t seq = tick.action == tick_action::closed ? trades_++ : trades_;
  if (reports.together && tick.action == tick_action::closed)
    reports.together->add(record_of(tick, seq));
  if (reports.schedule)
    reports.schedule->apply(tick);
  if (reports.heat != nullptr)
    reports.heat->apply(tick, seq);
  if (reports.backtest)
    reports.backtest->apply(std::move(tick), seq);
  else if (reports.live)
    reports.live->apply(std::move(tick), seq);
}

void report_book::clear(const run_identity& run, report_set kinds) {
  run_reports* const reports = find(run);
  if (reports == nullptr)
    return;
  clear(*reports, kinds);
  if (kinds.has(report_kind::heat) && reports->heat != nullptr)
    reports->heat->clear(run.symbol);
}

void report_book::clear(report_set kinds) {
  for (auto& [run, reports] : runs_)
    clear(reports, kinds);
  if (kinds.has(report_kind::heat))
    for (auto& [name, heat] : heats_)
      heat.clear();
}

void report_book::clear_heat(const std::string& strategy_name, run_mode mode) {
  if (const auto found = heats_.find({strategy_name, mode}); found != heats_.end())
    found->second.clear();
}

void report_book::clear(run_reports& reports, report_set kinds) {
  const auto clear_one = [&](report_kind kind, auto& report) {
    if (kinds.has(kind) && report)
      report->clear();
  };
  clear_one(report_kind::backtest, reports.backtest);
  clear_one(report_kind::live, reports.live);
  clear_one(report_kind::schedule, reports.schedule);
  clear_one(report_kind::performance, reports.performance);
  clear_one(report_kind::partial, reports.partial);
  clear_one(report_kind::risk, reports.risk);
}

void report_book::forget_known() {
  latest_run_ = nullptr;
  known_.clear();
}

void report_book::clear() {
  forget_known();
  runs_.clear();
  heats_.clear();
}

report_book::run_reports* report_book::find(const run_identity& run) {
  const auto found = runs_.find(key_of(run));
  return found == runs_.end() ? nullptr : &found->second;
}

/// A run tells many things in a row, and its names are one shared object.
report_book::run_reports* report_book::reports_of(const shared_identity& run) {
  if (run && run != latest_run_) {
    auto known = known_.find(run);
    if (known == known_.end()) {
      run_reports* const reports = find(*run);
      if (reports == nullptr)
        return nullptr; // cleared while events were on their way
      known = known_.emplace(run, reports).first;
    }
    latest_run_ = run;
    latest_ = known->second;
  }
  return run ? latest_ : nullptr;
}

template <class Report>
const Report* report_book::find(const key& run, std::optional<Report> run_reports::*report) const {
  const auto found = runs_.find(run);
  if (found == runs_.end() || !(found->second.*report))
    return nullptr;
  return &*(found->second.*report);
}

const backtest_report* report_book::find_backtest(const std::string& symbol,
                                                  const std::string& strategy_name) const {
  return find({symbol, strategy_name, run_mode::backtest}, &run_reports::backtest);
}

const live_report* report_book::find_live(const std::string& symbol,
                                          const std::string& strategy_name) const {
  return find({symbol, strategy_name, run_mode::live}, &run_reports::live);
}

const schedule_report* report_book::find_schedule(const std::string& symbol,
                                                  const std::string& strategy_name,
                                                  run_mode mode) const {
  return find({symbol, strategy_name, mode}, &run_reports::schedule);
}

const performance_report* report_book::find_performance(const std::string& symbol,
                                                        const std::string& strategy_name,
                                                        run_mode mode) const {
  return find({symbol, strategy_name, mode}, &run_reports::performance);
}

const partial_report* report_book::find_partial(const std::string& symbol,
                                                const std::string& strategy_name,
                                                run_mode mode) const {
  return find({symbol, strategy_name, mode}, &run_reports::partial);
}

const risk_report* report_book::find_risk(const std::string& symbol,
                                          const std::string& strategy_name, run_mode mode) const {
  return find({symbol, strategy_name, mode}, &run_reports::risk);
}

const heat_report* report_book::find_heat(const std::string& strategy_name, run_mode mode) const {
  const auto found = heats_.find({strategy_name, mode});
  return found == heats_.end() ? nullptr : &found->second;
}

const trade_ledger* report_book::find_ledger(const std::string& symbol,
                                             const std::string& strategy_name,
                                             run_mode mode) const {
  if (mode == run_mode::backtest) {
    const auto* report = find_backtest(symbol, strategy_name);
    return report == nullptr ? nullptr : &report->ledger();
  }
  const auto* report = find_live(symbol, strategy_name);
  return report == nullptr ? nullptr : &report->ledger();
}

trade_statistics report_book::portfolio_statistics(const std::vector<shared_identity>& runs,
                                                   const configuration& parameters) const {
  std::vector<const trade_ledger*> members;
  for (const auto& run : runs)
    if (const auto* ledger = find_ledger(run->symbol, run->strategy_name, run->mode))
      members.push_back(ledger);
  return pooled_statistics(members, gates_of(parameters), find_together(runs));
}

/// Null unless the runs were combined.
const trade_sample* report_book::find_together(const std::vector<shared_identity>& runs) const {
  const trade_sample* together = nullptr;
  for (const auto& run : runs) {
    const auto found = runs_.find(key_of(*run));
    if (found == runs_.end())
      continue;
    const auto* own = found->second.together.get();
    if (own == nullptr || (together != nullptr && own != together))
      return nullptr;
    together = own;
  }
  return together;
}

} // namespace backtest
