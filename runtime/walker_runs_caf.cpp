#include "runtime/walker_runs.hpp"

#include "runtime/report_access.hpp"
#include "runtime/walk.hpp"

#include <utility>

namespace backtest {

// -- walker_handle ----------------------------------------------------------------------------------------

std::uint64_t walker_handle::id() const noexcept { return walk_ ? walk_->record().id() : 0; }
void walker_handle::cancel() {
  if (walk_)
    walk_->stop();
}
void walker_handle::wait() const {
  if (walk_)
    walk_->record().wait();
}
bool walker_handle::finished() const { return !walk_ || walk_->record().finished(); }
run_status walker_handle::status() const {
  return walk_ ? walk_->record().statuses().front() : run_status{};
}
walker_report_data walker_handle::data() const {
  return walk_ ? walk_->report().data() : walker_report_data{};
}
std::vector<run_summary> walker_handle::summaries() const {
  return walk_ ? walk_->summaries() : std::vector<run_summary>{};
}

// -- walker_stream ----------------------------------------------------------------------------------------

walker_stream::walker_stream(walker_stream&& other) noexcept
    : begin_(std::exchange(other.begin_, nullptr)), walk_(std::exchange(other.walk_, nullptr)) {}

walker_stream& walker_stream::operator=(walker_stream&& other) noexcept {
  std::swap(begin_, other.begin_);
  std::swap(walk_, other.walk_);
  return *this;
}

walker_stream::~walker_stream() {
  if (walk_)
    walk_->leave();
}

std::optional<walker_event> walker_stream::next() {
  if (!walk_ && !begin_)
    return std::nullopt;
  if (!walk_)
    walk_ = begin_();
  return walk_->advance();
}

void walker_stream::stop() {
  if (walk_)
    walk_->stop();
}

// -- walker_runs ------------------------------------------------------------------------------------------

walker_stream walker_runs::run(const std::string& symbol, const std::string& walker) {
  core_.check_walker(symbol, walker, "walker.run");
  return walker_stream{[core = &core_, symbol, walker] {
    return core->start_walk(symbol, walker, false, "walker.run");
  }};
}

walker_handle walker_runs::background(const std::string& symbol, const std::string& walker) {
  return walker_handle{core_.start_walk(symbol, walker, true, "walker.background")};
}

void walker_runs::stop(const std::string& symbol, const std::string& walker) {
  core_.check_walker(symbol, walker, "walker.stop");
  if (const auto known = core_.find_walk(symbol, walker))
    known->stop();
}

std::vector<run_status> walker_runs::list() const { return core_.walker_statuses(); }

run_status walker_runs::status(const std::string& symbol, const std::string& walker) const {
  core_.check_walker(symbol, walker, "walker.status");
  if (const auto known = core_.find_walk(symbol, walker))
    return known->record().statuses().front();
  run_status none;
  none.identity.symbol = symbol;
  none.identity.strategy_name = walker;
  return none;
}

walker_report walker_runs::report_of(const std::string& symbol, const std::string& walker,
                                     std::string_view source) const {
  const auto schema = core_.check_walker(symbol, walker, source);
  if (const auto known = core_.find_walk(symbol, walker))
    return known->report();
  return walker_report{*schema, symbol, parameters_of(core_)};
}

walker_report_data walker_runs::get_data(const std::string& symbol,
                                         const std::string& walker) const {
  return report_of(symbol, walker, "walker.get_data").data();
}

std::string
walker_runs::get_report(const std::string& symbol, const std::string& walker,
                        const std::optional<column_list<walker_result>>& strategy_columns,
                        const std::optional<column_list<tick_result>>& pnl_columns) const {
  return report_of(symbol, walker, "walker.get_report")
      .markdown(columns_for(core_, &report_columns::walker_strategy, "walker_strategy_columns",
                            strategy_columns),
                columns_for(core_, &report_columns::walker_pnl, "walker_pnl_columns",
                            pnl_columns));
}

std::filesystem::path
walker_runs::dump(const std::string& symbol, const std::string& walker,
                  const std::filesystem::path& directory,
                  const std::optional<column_list<walker_result>>& strategy_columns,
                  const std::optional<column_list<tick_result>>& pnl_columns) const {
  return report_of(symbol, walker, "walker.dump")
      .dump(report_root(directory),
            columns_for(core_, &report_columns::walker_strategy, "walker_strategy_columns",
                        strategy_columns),
            columns_for(core_, &report_columns::walker_pnl, "walker_pnl_columns", pnl_columns));
}

} // namespace backtest
