#include "runtime/report_book.hpp"

#include <algorithm>

namespace backtest {

void report_book::start(const shared_identity& run, const configuration& parameters) {
  latest_identity_ = nullptr;
  backtests_.insert_or_assign(key_of(*run), backtest_report{run, parameters});
}

void report_book::set_bounds(const run_identity& run, const run_bounds& bounds) {
  if (const auto found = backtests_.find(key_of(run)); found != backtests_.end())
    found->second.set_bounds(bounds);
}

void report_book::apply(event item) {
  auto* tick = std::get_if<tick_result>(&item.payload);
  if (tick == nullptr || tick->action != tick_action::closed || 
      (item.on != topic::signal_backtest && item.on != topic::signal_live))
    return;
  // A run tells many closes in a row; its names are one shared object.
  if (tick->run.get() != latest_identity_) {
    const auto found = backtests_.find(key_of(*tick->run));
    if (found == backtests_.end())
      return; // cleared while events were on their way
    latest_identity_ = tick->run.get();
    latest_ = &found->second;
  }
  latest_->apply(std::move(*tick), trades_++);
}

void report_book::clear(const run_identity& run) {
  latest_identity_ = nullptr;
  if (const auto found = backtests_.find(key_of(run)); found != backtests_.end())
    found->second.clear();
}

void report_book::clear() {
  latest_identity_ = nullptr;
  backtests_.clear();
}

const backtest_report* report_book::find_backtest(const std::string& symbol,
                                                  const std::string& strategy_name,
                                                  run_mode mode) const {
  const auto found = backtests_.find(key{symbol, strategy_name, mode});
  return found == backtests_.end() ? nullptr : &found->second;
}

trade_statistics report_book::portfolio_statistics(const std::vector<shared_identity>& runs,
                                                   const configuration& parameters) const {
  std::vector<std::span<const trade_record>> members;
  statistics_inputs inputs;
  std::int64_t total = 0;
  instant start = end_of_time, end = 0;
  for (const auto& run : runs) {
    const auto* report = find_backtest(run->symbol, run->strategy_name, run->mode);
    if (report == nullptr)
      continue;
    members.push_back(report->trades().records());
    total += report->trades().total();
    if (const auto& bounds = report->bounds()) {
      start = std::min(start, bounds->start);
      end = std::max(end, bounds->end);
    }
  }
  inputs.total_signals = total;
  if (start < end)
    inputs.exposure = exposure_of(members, start, end);
  return compute_portfolio_statistics(members, gates_of(parameters), inputs);
}

} // namespace backtest
