#include "runtime/live_runs.hpp"

#include "runtime/report_book.hpp"
#include "runtime/runtime_core.hpp"

#include <fmt/format.h>

namespace backtest {

namespace {

void check_names(const runtime_core& core, const std::string& strategy, std::string_view source) {
  for (const auto& risk : profiles_of(*core.schemas.strategies.get(strategy, source)))
    core.schemas.risks.get(risk, source);
}

} // namespace

signal_stream live_runs::run(live_request request) {
  core_.check(request, "live.run");
  return signal_stream{[core = &core_, request = std::move(request)] {
    return core->start_live(request, true, "live.run");
  }};
}

run_handle live_runs::background(live_request request) {
  return run_handle{core_.start_live(request, false, "live.background")};
}

void live_runs::stop(const std::string& symbol, const std::string& strategy) {
  check_names(core_, strategy, "live.stop");
  core_.stop(symbol, strategy, run_mode::live);
}

std::vector<run_status> live_runs::list() const { return core_.statuses(run_mode::live); }

run_status live_runs::status(const std::string& symbol, const std::string& strategy) const {
  check_names(core_, strategy, "live.status");
  return core_.status(symbol, strategy, run_mode::live);
}

trade_statistics live_runs::statistics(const std::string& symbol,
                                       const std::string& strategy) const {
  trade_statistics statistics;
  core_.with_reports([&](report_book& book) {
    if (const auto* ledger = book.find_ledger(symbol, strategy, run_mode::live))
      statistics = ledger->statistics();
  });
  return statistics;
}

void live_runs::pause(const std::string& symbol, const std::string& strategy) {
  control(symbol, strategy, operator_command::pause);
}
void live_runs::resume(const std::string& symbol, const std::string& strategy) {
  control(symbol, strategy, operator_command::resume);
}
void live_runs::cancel_scheduled(const std::string& symbol, const std::string& strategy) {
  control(symbol, strategy, operator_command::cancel);
}
void live_runs::close_pending(const std::string& symbol, const std::string& strategy) {
  control(symbol, strategy, operator_command::close);
}

void live_runs::control(const std::string& symbol, const std::string& strategy,
                        operator_command command) {
  check_names(core_, strategy, "live.control");
  core_.control(symbol, strategy, command);
}

} // namespace backtest
