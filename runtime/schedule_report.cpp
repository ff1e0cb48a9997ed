#include "runtime/schedule_report.hpp"

#include "runtime/figure_text.hpp"
#include "runtime/number_text.hpp"
#include "runtime/report_directory.hpp"
#include "runtime/text_file.hpp"
#include "runtime/tick_cells.hpp"

namespace backtest {

namespace {

/// Opened later than it was announced: it came from a schedule.
bool has_waited(const tick_result& opened) noexcept {
  return opened.signal && opened.signal->pending_at &&
         *opened.signal->pending_at != opened.signal->scheduled_at;
}

std::optional<double> share(std::int64_t part, std::int64_t whole) {
  if (whole == 0)
    return std::nullopt;
  return 100 * static_cast<double>(part) / static_cast<double>(whole);
}

std::optional<double> mean_minutes(instant total_ms, std::int64_t count) {
  if (count == 0)
    return std::nullopt;
  return static_cast<double>(total_ms) / static_cast<double>(minute_ms) /
         static_cast<double>(count);
}

std::string summary_of(const schedule_statistics& figures) {
  const auto rate = [](std::string_view label, std::optional<double> value, std::string_view hint) {
    return labelled_line(label, with_unit(percent_text(value, 2), hint));
  };
  const auto minutes = [](std::string_view label, std::optional<double> value) {
    return labelled_line(label, with_unit(fixed_text(value, 2), " min"));
  };
  return counted_line("Total events", figures.total_events) +
         counted_line("Scheduled signals", figures.total_scheduled) +
         counted_line("Opened signals", figures.total_opened) +
         counted_line("Cancelled signals", figures.total_cancelled) +
         rate("Activation rate", figures.activation_rate, higher_is_better) +
         rate("Cancellation rate", figures.cancellation_rate, lower_is_better) +
         minutes("Average activation time", figures.avg_activation_time) +
         minutes("Average wait time (cancelled)", figures.avg_wait_time);
}

} // namespace

column_list<tick_result> default_schedule_columns(bool show_notes) {
  return {
      {"timestamp", "Timestamp", tick_cells::event_time},
      {"action", "Action", tick_cells::action},
      {"symbol", "Symbol", tick_cells::symbol},
      {"signal_id", "Signal ID", tick_cells::signal_id},
      {"position", "Position", tick_cells::position},
      {"note", "Note", tick_cells::note, [show_notes] { return show_notes; }},
      {"current_price", "Current Price", tick_cells::current_price},
      {"price_open", "Entry Price", tick_cells::open_price},
      {"take_profit", "Take Profit", tick_cells::take_profit},
      {"stop_loss", "Stop Loss", tick_cells::stop_loss},
      {"duration", "Wait Time (min)", tick_cells::wait_time},
      {"cancel_reason", "Cancel Reason", tick_cells::reason},
  };
}

schedule_report::schedule_report(shared_identity run, const configuration& config)
    : rows_(std::move(run), config.max_report_rows),
      max_unresolved_(static_cast<std::size_t>(config.max_trade_sample)) {}

void schedule_report::apply(const tick_result& result) {
  switch (result.action) {
  case tick_action::scheduled: remember(result); break;
  case tick_action::opened:
    if (!has_waited(result))
      return;
    count(opened_, result, result.signal->pending_at);
    break;
  case tick_action::cancelled: count(cancelled_, result, result.close_timestamp); break;
  default: return;
  }
  rows_.add(tick_result(result));
}

void schedule_report::remember(const tick_result& scheduled) {
  ++scheduled_;
  if (scheduled.signal && unresolved_.size() < max_unresolved_)
    unresolved_.insert(scheduled.signal->id);
}

void schedule_report::count(outcome_counts& outcome, const tick_result& result,
                            std::optional<instant> end) {
  ++outcome.seen;
  if (!result.signal)
    return;
  outcome.matched += static_cast<std::int64_t>(unresolved_.erase(result.signal->id));
  if (end) {
    ++outcome.timed;
    outcome.waited_ms += *end - result.signal->scheduled_at;
  }
}

void schedule_report::clear() {
  rows_.clear();
  unresolved_.clear();
  scheduled_ = 0;
  opened_ = {};
  cancelled_ = {};
}

schedule_statistics schedule_report::statistics() const {
  const std::int64_t matched = opened_.matched + cancelled_.matched;
  return {rows_.total(),
          scheduled_,
          opened_.seen,
          cancelled_.seen,
          share(opened_.matched, matched),
          share(cancelled_.matched, matched),
          mean_minutes(opened_.waited_ms, opened_.timed),
          mean_minutes(cancelled_.waited_ms, cancelled_.timed)};
}

schedule_report_data schedule_report::data() const { return {statistics(), rows_.list()}; }

std::string schedule_report::markdown(const column_list<tick_result>& columns) const {
  return rows_.page("Scheduled Signals Report", "No scheduled signals yet.", columns,
                    [this] { return summary_of(statistics()); });
}

std::string schedule_report::file_name() const { return run_file_name(run()); }

std::filesystem::path schedule_report::dump(const std::filesystem::path& directory,
                                            const column_list<tick_result>& columns) const {
  return write_text_file(directory / report_folder::schedule, file_name(), markdown(columns));
}

} // namespace backtest
