#include "runtime/report_book.hpp"
#include "runtime/runtime_core.hpp"

namespace backtest {

// -- run_handle ---------------------------------------------------------------------------------------

void run_handle::cancel() {
  for (auto& stop : stops_)
    stop.request_stop();
}

// -- backtest_stream ------------------------------------------------------------------------------------

struct backtest_stream::state {
  runtime_core& core;
  backtest_request request;
  std::optional<runtime_core::running> run;
};

backtest_stream::backtest_stream(std::unique_ptr<state> begun) : state_(std::move(begun)) {}
backtest_stream::backtest_stream(backtest_stream&&) noexcept = default;

backtest_stream& backtest_stream::operator=(backtest_stream&& other) noexcept {
  std::swap(state_, other.state_);
  return *this;
}

backtest_stream::~backtest_stream() {
  if (!state_ || !state_->run || state_->run->record->finished())
    return;
  stop();
  send_anonymously(state_->run->driver, abort_portfolio{});
  state_->run->record->wait();
}

std::optional<tick_result> backtest_stream::next() {
  if (!state_->run)
    state_->run = state_->core.start(state_->request, true, "backtest.run");
  return state_->run->stream->next(
      [this] { send_anonymously(state_->run->driver, demand_element{}); });
}

void backtest_stream::stop() {
  if (state_->run)
    for (auto& source : state_->run->stops)
      source.request_stop();
}

std::vector<run_summary> backtest_stream::summaries() const {
  return state_->run ? state_->run->record->summaries() : std::vector<run_summary>{};
}

// -- backtest_runs ----------------------------------------------------------------------------------------

backtest_stream backtest_runs::run(backtest_request request) {
  core_.check(request, "backtest.run");
  return backtest_stream{
      std::make_unique<backtest_stream::state>(core_, std::move(request), std::nullopt)};
}

run_handle backtest_runs::background(backtest_request request) {
  auto started = core_.start(request, false, "backtest.background");
  run_handle handle;
  handle.record_ = std::move(started.record);
  handle.stops_ = std::move(started.stops);
  return handle;
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
  for (auto& item : list())
    if (item.identity.symbol == symbol && item.identity.strategy_name == strategy)
      return item;
  run_status none;
  none.identity.symbol = symbol;
  none.identity.strategy_name = strategy;
  return none;
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
