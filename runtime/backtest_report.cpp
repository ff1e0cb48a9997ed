#include "runtime/backtest_report.hpp"

#include "runtime/report_text.hpp"
#include "runtime/text_file.hpp"
#include "runtime/tick_cells.hpp"

#include <algorithm>

namespace backtest {

namespace {

/// Since when the sample tells what was held: from the start of the run, or from the oldest trade
/// that was not dropped.
instant known_since(const trade_sample& trades, instant start) {
  if (trades.dropped() == 0)
    return start;
  const auto records = trades.records();
  const auto oldest =
      std::min_element(records.begin(), records.end(), [](const auto& left, const auto& right) {
        return left.open_ts < right.open_ts;
      });
  return std::max(start, oldest->open_ts);
}

} // namespace

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
    : run_(std::move(run)), gates_(gates_of(config)),
      trades_(static_cast<std::size_t>(config.max_trade_sample)),
      rows_(static_cast<std::size_t>(config.max_report_rows)) {}

void backtest_report::apply(tick_result result, std::optional<std::uint64_t> seq) {
  if (result.action != tick_action::closed)
    return;
  if (result.run && result.run != run_)
    run_ = result.run;
  trades_.add(record_of(result, seq.value_or(static_cast<std::uint64_t>(trades_.total()))));
  rows_.add(std::move(result));
}

void backtest_report::clear() noexcept {
  trades_.clear();
  rows_.clear();
  bounds_.reset();
}

trade_statistics backtest_report::statistics() const {
  statistics_inputs inputs;
  inputs.total_signals = trades_.total();
  if (bounds_) {
    if (bounds_->first_close && bounds_->last_close)
      inputs.buy_and_hold_return = buy_and_hold_return(*bounds_->first_close, *bounds_->last_close);
    inputs.exposure =
        exposure_of(trades_.records(), known_since(trades_, bounds_->start), bounds_->end);
  }
  return compute_trade_statistics(trades_.records(), gates_, inputs);
}

backtest_report_data backtest_report::data() const {
  return {statistics(), {rows_.begin(), rows_.end()}};
}

std::string backtest_report::markdown(const column_list<tick_result>& columns) const {
  const std::string title = report_title("Backtest Report", *run_);
  if (rows_.empty())
    return join_blocks({title, "No closed signals yet.\n"});
  const trade_statistics figures = statistics();
  return join_blocks({title, markdown_table(columns, rows_), trade_summary(figures),
                      reliability_note(figures, gates_, trades_.dropped())});
}

std::string backtest_report::file_name() const {
  return report_file_name({run_->symbol, run_->strategy_name});
}

std::filesystem::path backtest_report::dump(const std::filesystem::path& directory,
                                            const column_list<tick_result>& columns) const {
  const std::filesystem::path path = directory / file_name();
  write_text_file(path, markdown(columns));
  return path;
}

} // namespace backtest
