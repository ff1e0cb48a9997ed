#include "runtime/live_runs.hpp"

#include "runtime/report_access.hpp"

namespace backtest {

namespace {

template <class Work>
auto on_live_report(const runtime_core& core, const std::string& symbol,
                    const std::string& strategy, Work&& work) {
  return on_report(
      core, [&](const report_book& book) { return book.find_live(symbol, strategy); },
      [&](const configuration& parameters) {
        return live_report{std::make_shared<const run_identity>(
                               run_identity{symbol, strategy, "", "", run_mode::live}),
                           parameters};
      },
      work);
}

auto live_columns_or(const runtime_core& core,
                     const std::optional<column_list<tick_result>>& given) {
  return columns_for(core, &report_columns::live, "live_columns", given);
}

} // namespace

signal_stream live_runs::run(live_request request) {
  core_.check(request, "live.run");
  return {[core = &core_, request = std::move(request)] {
            return core->start_live(request, true, "live.run");
          },
          core_.callers};
}

run_handle live_runs::background(live_request request) {
  return run_handle{core_.start_live(request, false, "live.background")};
}

void live_runs::stop(const std::string& symbol, const std::string& strategy) {
  check_strategy(core_, strategy, "live.stop");
  core_.stop(symbol, strategy, run_mode::live);
}

std::vector<run_status> live_runs::list() const { return core_.statuses(run_mode::live); }

run_status live_runs::status(const std::string& symbol, const std::string& strategy) const {
  check_strategy(core_, strategy, "live.status");
  return core_.status(symbol, strategy, run_mode::live);
}

trade_statistics live_runs::statistics(const std::string& symbol,
                                       const std::string& strategy) const {
  core_.callers->require_may_wait("live.statistics", waiting_for::actors);
  trade_statistics statistics;
  core_.with_reports([&](report_book& book) {
    if (const auto* ledger = book.find_ledger(symbol, strategy, run_mode::live))
      statistics = ledger->statistics();
  });
  return statistics;
}

live_report_data live_runs::get_data(const std::string& symbol,
                                     const std::string& strategy) const {
  core_.callers->require_may_wait("live.get_data", waiting_for::actors);
  check_strategy(core_, strategy, "live.get_data");
  return on_live_report(core_, symbol, strategy, [](const live_report& r) { return r.data(); });
}

std::string live_runs::get_report(const std::string& symbol, const std::string& strategy,
                                  const std::optional<column_list<tick_result>>& columns) const {
  core_.callers->require_may_wait("live.get_report", waiting_for::actors);
  check_strategy(core_, strategy, "live.get_report");
  const auto chosen = live_columns_or(core_, columns);
  return on_live_report(core_, symbol, strategy,
                        [&](const live_report& r) { return r.markdown(chosen); });
}

std::filesystem::path
live_runs::dump(const std::string& symbol, const std::string& strategy,
                const std::filesystem::path& directory,
                const std::optional<column_list<tick_result>>& columns) const {
  core_.callers->require_may_wait("live.dump", waiting_for::actors);
  check_strategy(core_, strategy, "live.dump");
  const auto chosen = live_columns_or(core_, columns);
  const auto root = report_root(directory);
  return on_live_report(core_, symbol, strategy,
                        [&](const live_report& r) { return r.dump(root, chosen); });
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
  check_strategy(core_, strategy, "live.control");
  core_.control(symbol, strategy, command);
}

} // namespace backtest
