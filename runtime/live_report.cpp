#include "runtime/live_report.hpp"

#include "runtime/report_directory.hpp"
#include "runtime/text_file.hpp"
#include "runtime/tick_cells.hpp"

namespace backtest {

column_list<tick_result> default_live_columns(bool show_notes) {
  return {
      {"timestamp", "Timestamp", tick_cells::event_time},
      {"action", "Action", tick_cells::action},
      {"symbol", "Symbol", tick_cells::symbol},
      {"signal_id", "Signal ID", tick_cells::signal_id},
      {"position", "Position", tick_cells::position},
      {"note", "Note", tick_cells::note, [show_notes] { return show_notes; }},
      {"current_price", "Current Price", tick_cells::current_price},
      {"open_price", "Open Price", tick_cells::open_price},
      {"take_profit", "Take Profit", tick_cells::take_profit},
      {"stop_loss", "Stop Loss", tick_cells::stop_loss},
      {"percent_tp", "% to TP", tick_cells::percent_tp},
      {"percent_sl", "% to SL", tick_cells::percent_sl},
      {"pnl", "PNL (net)", tick_cells::pnl},
      {"close_reason", "Close Reason", tick_cells::reason},
      {"duration", "Duration (min)", tick_cells::duration},
  };
}

live_report::live_report(shared_identity run, const configuration& config)
    : ledger_(config), rows_(std::move(run), config.max_report_rows) {}

void live_report::apply(tick_result result, std::optional<std::uint64_t> seq) {
  ledger_.apply(result, seq);
  tick_result* const older = row_updated_by(result);
  rows_.replace(older, std::move(result));
}

/// The row whose news this is; null when the result tells something of its own.
tick_result* live_report::row_updated_by(const tick_result& result) {
  if (result.action == tick_action::idle) {
    tick_result* const newest = rows_.rows().newest();
    return newest != nullptr && newest->action == tick_action::idle ? newest : nullptr;
  }
  const bool goes_on =
      result.action == tick_action::active || result.action == tick_action::waiting;
  if (!goes_on || !result.signal)
    return nullptr;
  return rows_.rows().find([&](const tick_result& row) {
    return row.action == result.action && row.signal && row.signal->id == result.signal->id;
  });
}

void live_report::clear() noexcept {
  ledger_.clear();
  rows_.clear();
}

live_report_data live_report::data() const {
  return {statistics(), rows_.list(), rows_.total(), ledger_.trades().total()};
}

std::string live_report::markdown(const column_list<tick_result>& columns) const {
  return rows_.page("Live Trading Report", "No events yet.", columns, [this] {
    return counted_line("Total events", rows_.total()) + ledger_.summary();
  });
}

std::string live_report::file_name() const {
  return report_file_name(run().symbol, run().strategy_name);
}

std::filesystem::path live_report::dump(const std::filesystem::path& directory,
                                        const column_list<tick_result>& columns) const {
  return write_text_file(directory / report_folder::live, file_name(), markdown(columns));
}

} // namespace backtest
