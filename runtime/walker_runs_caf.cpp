#include "runtime/walker_runs.hpp"

#include "messages/thread_name.hpp"
#include "runtime/report_access.hpp"
#include "runtime/walk.hpp"

#include <exception>
#include <thread>
#include <utility>

namespace backtest {

namespace {

/// On a thread of its own. Without one it is stopped, and its end is told when the runtime ends.
void leave_elsewhere(std::shared_ptr<walk> left) noexcept {
  left->stop();
  try {
    std::thread{[left] {
      name_this_thread("backtest.walk");
      left->leave();
    }}.detach();
  } catch (const std::exception&) { // NOLINT: it is stopped
  }
}

} // namespace

// -- walker_handle ----------------------------------------------------------------------------------------

std::uint64_t walker_handle::id() const noexcept { return walk_ ? walk_->record().id() : 0; }
void walker_handle::cancel() {
  if (walk_)
    walk_->stop();
}
void walker_handle::wait() const {
  if (finished())
    return;
  walk_->callers().require_may_wait("walker_handle.wait", waiting_for::walkers);
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
    : begin_(std::exchange(other.begin_, nullptr)), callers_(other.callers_),
      walk_(std::exchange(other.walk_, nullptr)) {}

walker_stream& walker_stream::operator=(walker_stream&& other) noexcept {
  std::swap(begin_, other.begin_);
  std::swap(callers_, other.callers_);
  std::swap(walk_, other.walk_);
  return *this;
}

walker_stream::~walker_stream() {
  if (!walk_)
    return;
  if (callers_->may_wait(waiting_for::walkers))
    walk_->leave();
  else
    leave_elsewhere(std::move(walk_));
}

std::optional<walker_event> walker_stream::next() {
  if (!walk_ && !begin_)
    return std::nullopt;
  callers_->require_may_wait("walker_stream.next", waiting_for::walkers);
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
  return {[core = &core_, symbol, walker] {
            return core->start_walk(symbol, walker, false, "walker.run");
          },
          core_.callers};
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
