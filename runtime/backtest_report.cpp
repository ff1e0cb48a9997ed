#include "runtime/backtest_report.hpp"

#include "runtime/report_directory.hpp"
#include "runtime/text_file.hpp"
#include "runtime/tick_cells.hpp"

namespace backtest {

column_list<tick_result> default_backtest_columns(bool show_notes) {
  return {
      {"signal_id", "Signal ID", tick_cells::signal_id},
      {"symbol", "Symbol", tick_cells::symbol},
      {"position", "Position", tick_cells::position},
      {"note", "Note", tick_cells::note, [show_notes] { return show_notes; }},
      {"open_price", "Open Price", tick_cells::open_price},
      {"close_price", "Close Price", tick_cells::current_price},
      {"take_profit", "Take Profit", tick_cells::take_profit},
      {"stop_loss", "Stop Loss", tick_cells::stop_loss},
      {"pnl", "PNL (net)", tick_cells::pnl},
      {"close_reason", "Close Reason", tick_cells::reason},
      {"duration", "Duration (min)", tick_cells::duration},
      {"open_timestamp", "Open Time", tick_cells::open_time},
      {"close_timestamp", "Close Time", tick_cells::close_time},
      {"peak_pnl", "Peak PNL", tick_cells::peak_pnl},
      {"fall_pnl", "Fall PNL", tick_cells::fall_pnl},
  };
}

backtest_report::backtest_report(shared_identity run, const configuration& config)
    : ledger_(config), rows_(std::move(run), config.max_report_rows) {}

void backtest_report::apply(tick_result&& result, std::optional<std::uint64_t> seq) {
  ledger_.apply(result, seq);
  if (result.action != tick_action::closed)
    return;
  rows_.add(std::move(result));
}

void backtest_report::clear() noexcept {
  ledger_.clear();
  rows_.clear();
}

backtest_report_data backtest_report::data() const { return {statistics(), rows_.list()}; }

std::string backtest_report::markdown(const column_list<tick_result>& columns) const {
  return rows_.page("Backtest Report", "No closed signals yet.", columns,
                    [this] { return ledger_.summary(); });
}

std::string backtest_report::file_name() const {
  return report_file_name(run().symbol, run().strategy_name);
}

std::filesystem::path backtest_report::dump(const std::filesystem::path& directory,
                                            const column_list<tick_result>& columns) const {
  return write_text_file(directory / report_folder::backtest, file_name(), markdown(columns));
}

} // namespace backtest
