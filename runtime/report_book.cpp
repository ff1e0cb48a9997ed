#include "runtime/report_book.hpp"

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
  if (tick == nullptr || tick->action != tick_action::closed || item.on != topic::signal_backtest)
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
                                                  const std::string& strategy_name) const {
  const auto found = backtests_.find(key{symbol, strategy_name, run_mode::backtest});
  return found == backtests_.end() ? nullptr : &found->second;
}

trade_statistics report_book::portfolio_statistics(const std::vector<shared_identity>& runs,
                                                   const configuration& parameters) const {
  std::vector<const trade_ledger*> members;
  for (const auto& run : runs)
    if (const auto* report = find_backtest(run->symbol, run->strategy_name))
      members.push_back(&report->ledger());
  return pooled_statistics(members, gates_of(parameters));
}

} // namespace backtest
