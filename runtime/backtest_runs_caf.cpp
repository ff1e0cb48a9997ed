#include "runtime/report_access.hpp"

namespace backtest {

// -- backtest_runs ----------------------------------------------------------------------------------------

signal_stream backtest_runs::run(backtest_request request) {
  core_.check(request, "backtest.run");
  return {[core = &core_, request = std::move(request)] {
            return core->start(request, true, "backtest.run");
          },
          core_.callers};
}

run_handle backtest_runs::background(backtest_request request) {
  return run_handle{core_.start(request, false, "backtest.background")};
}

void backtest_runs::stop(const std::string& symbol, const std::string& strategy) {
  check_strategy(core_, strategy, "backtest.stop");
  core_.stop(symbol, strategy, run_mode::backtest);
}

std::vector<run_status> backtest_runs::list() const { return core_.statuses(run_mode::backtest); }

run_status backtest_runs::status(const std::string& symbol, const std::string& strategy) const {
  check_strategy(core_, strategy, "backtest.status");
  return core_.status(symbol, strategy, run_mode::backtest);
}

namespace {

template <class Work>
auto on_backtest_report(const runtime_core& core, const std::string& symbol,
                        const std::string& strategy, Work&& work) {
  return on_report(
      core, [&](const report_book& book) { return book.find_backtest(symbol, strategy); },
      [&](const configuration& parameters) {
        return backtest_report{std::make_shared<const run_identity>(run_identity{
                                   symbol, strategy, "", "", run_mode::backtest}),
                               parameters};
      },
      work);
}

auto backtest_columns_or(const runtime_core& core,
                         const std::optional<column_list<tick_result>>& given) {
  return columns_for(core, &report_columns::backtest, "backtest_columns", given);
}

} // namespace

backtest_report_data backtest_runs::get_data(const std::string& symbol,
                                             const std::string& strategy) const {
  core_.callers->require_may_wait("backtest.get_data", waiting_for::actors);
  check_strategy(core_, strategy, "backtest.get_data");
  return on_backtest_report(core_, symbol, strategy,
                            [](const backtest_report& r) { return r.data(); });
}

std::string backtest_runs::get_report(const std::string& symbol, const std::string& strategy,
                                      const std::optional<column_list<tick_result>>& columns) const {
  core_.callers->require_may_wait("backtest.get_report", waiting_for::actors);
  check_strategy(core_, strategy, "backtest.get_report");
  const auto chosen = backtest_columns_or(core_, columns);
  return on_backtest_report(core_, symbol, strategy,
                            [&](const backtest_report& r) { return r.markdown(chosen); });
}

std::filesystem::path
backtest_runs::dump(const std::string& symbol, const std::string& strategy,
                    const std::filesystem::path& directory,
                    const std::optional<column_list<tick_result>>& columns) const {
  core_.callers->require_may_wait("backtest.dump", waiting_for::actors);
  check_strategy(core_, strategy, "backtest.dump");
  const auto chosen = backtest_columns_or(core_, columns);
  const auto root = report_root(directory);
  return on_backtest_report(core_, symbol, strategy,
                            [&](const backtest_report& r) { return r.dump(root, chosen); });
}

trade_statistics
backtest_runs::portfolio_statistics(const std::vector<shared_identity>& runs) const {
  for (std::size_t i = 0; i < runs.size(); ++i)
    if (!runs[i])
      throw failure(error_code::invalid_argument,
                    fmt::format("portfolio_statistics: runs[{}] must not be null", i));
  core_.callers->require_may_wait("backtest.portfolio_statistics", waiting_for::actors);
  const auto parameters = parameters_of(core_);
  trade_statistics statistics;
  core_.with_reports(
      [&](report_book& book) { statistics = book.portfolio_statistics(runs, parameters); });
  return statistics;
}

} // namespace backtest
