#include "runtime/report_book.hpp"
#include "runtime/runtime_core.hpp"

namespace backtest {

// -- backtest_runs ----------------------------------------------------------------------------------------

signal_stream backtest_runs::run(backtest_request request) {
  core_.check(request, "backtest.run");
  return signal_stream{[core = &core_, request = std::move(request)] {
    return core->start(request, true, "backtest.run");
  }};
}

run_handle backtest_runs::background(backtest_request request) {
  return run_handle{core_.start(request, false, "backtest.background")};
}

void backtest_runs::check_names(const std::string& strategy, std::string_view source) const {
  for (const auto& risk : profiles_of(*core_.schemas.strategies.get(strategy, source)))
    core_.schemas.risks.get(risk, source);
}

void backtest_runs::stop(const std::string& symbol, const std::string& strategy) {
  check_names(strategy, "backtest.stop");
  core_.stop(symbol, strategy, run_mode::backtest);
}

std::vector<run_status> backtest_runs::list() const { return core_.statuses(run_mode::backtest); }

run_status backtest_runs::status(const std::string& symbol, const std::string& strategy) const {
  check_names(strategy, "backtest.status");
  return core_.status(symbol, strategy, run_mode::backtest);
}

namespace {

/// Works on a report; on an empty one, made for the occasion, where nothing ran yet.
template <class Result, class Work>
Result on_report(const runtime_core& core, const std::string& symbol, const std::string& strategy,
                 Work&& work) {
  configuration parameters;
  {
    const std::lock_guard lock{core.mutex};
    parameters = core.parameters;
  }
  std::optional<Result> result;
  core.with_reports([&](report_book& book) {
    if (const auto* report = book.find_backtest(symbol, strategy)) {
      result = work(*report);
      return;
    }
    const backtest_report empty{
        std::make_shared<const run_identity>(
            run_identity{symbol, strategy, "", "", run_mode::backtest}),
        parameters};
    result = work(empty);
  });
  return *std::move(result);
}

column_list<tick_result> columns_for(const runtime_core& core,
                                     const std::optional<column_list<tick_result>>& given) {
  if (given) {
    require_valid("backtest_columns", *given);
    return *given;
  }
  const std::lock_guard lock{core.mutex};
  return core.backtest_columns.value_or(
      default_backtest_columns(core.parameters.report_show_signal_note));
}

} // namespace

backtest_report_data backtest_runs::get_data(const std::string& symbol,
                                             const std::string& strategy) const {
  check_names(strategy, "backtest.get_data");
  return on_report<backtest_report_data>(core_, symbol, strategy,
                                         [](const backtest_report& r) { return r.data(); });
}

std::string backtest_runs::get_report(const std::string& symbol, const std::string& strategy,
                                      const std::optional<column_list<tick_result>>& columns) const {
  check_names(strategy, "backtest.get_report");
  const auto chosen = columns_for(core_, columns);
  return on_report<std::string>(
      core_, symbol, strategy, [&](const backtest_report& r) { return r.markdown(chosen); });
}

std::filesystem::path
backtest_runs::dump(const std::string& symbol, const std::string& strategy,
                    const std::filesystem::path& directory,
                    const std::optional<column_list<tick_result>>& columns) const {
  check_names(strategy, "backtest.dump");
  const auto chosen = columns_for(core_, columns);
  return on_report<std::filesystem::path>(
      core_, symbol, strategy,
      [&](const backtest_report& r) { return r.dump(directory, chosen); });
}

trade_statistics
backtest_runs::portfolio_statistics(const std::vector<shared_identity>& runs) const {
  configuration parameters;
  {
    const std::lock_guard lock{core_.mutex};
    parameters = core_.parameters;
  }
  trade_statistics statistics;
  core_.with_reports(
      [&](report_book& book) { statistics = book.portfolio_statistics(runs, parameters); });
  return statistics;
}

} // namespace backtest
