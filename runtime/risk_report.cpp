#include "runtime/risk_report.hpp"

#include "runtime/cell_text.hpp"
#include "runtime/number_text.hpp"
#include "runtime/report_directory.hpp"
#include "runtime/text_file.hpp"

#include <fmt/format.h>

namespace backtest {

namespace {

std::string symbol(const risk_event& row, std::size_t) {
  return run_text(row.run, &run_identity::symbol);
}

std::string strategy_name(const risk_event& row, std::size_t) {
  return run_text(row.run, &run_identity::strategy_name);
}

std::string exchange_name(const risk_event& row, std::size_t) {
  return run_text(row.run, &run_identity::exchange_name);
}

std::string signal_id(const risk_event& row, std::size_t) {
  return text_or_na(row.pending_signal.id.value_or(""));
}

std::string position(const risk_event& row, std::size_t) {
  return position_text(row.pending_signal.position);
}

std::string note(const risk_event& row, std::size_t) { return note_text(row.pending_signal.note); }

std::string open_price(const risk_event& row, std::size_t) {
  return price_text(row.pending_signal.price_open);
}

std::string take_profit(const risk_event& row, std::size_t) {
  return price_text(row.pending_signal.price_take_profit);
}

std::string stop_loss(const risk_event& row, std::size_t) {
  return price_text(row.pending_signal.price_stop_loss);
}

std::string current_price(const risk_event& row, std::size_t) {
  return price_text(row.current_price);
}

std::string active_position_count(const risk_event& row, std::size_t) {
  return fmt::format("{}", row.active_position_count);
}

std::string comment(const risk_event& row, std::size_t) { return text_or_na(row.comment); }

std::string timestamp(const risk_event& row, std::size_t) { return time_text(row.timestamp); }

} // namespace

column_list<risk_event> default_risk_columns(bool show_notes) {
  return {
      {"symbol", "Symbol", symbol},
      {"strategy_name", "Strategy", strategy_name},
      {"signal_id", "Signal ID", signal_id},
      {"position", "Position", position},
      {"note", "Note", note, [show_notes] { return show_notes; }},
      {"exchange_name", "Exchange", exchange_name},
      {"open_price", "Open Price", open_price},
      {"take_profit", "Take Profit", take_profit},
      {"stop_loss", "Stop Loss", stop_loss},
      {"current_price", "Current Price", current_price},
      {"active_position_count", "Active Positions", active_position_count},
      {"comment", "Reason", comment},
      {"timestamp", "Timestamp", timestamp},
  };
}

risk_report::risk_report(shared_identity run, const configuration& config)
    : rows_(std::move(run), config.max_report_rows), symbols_(config.max_report_rows),
      strategies_(config.max_report_rows), reasons_(config.max_report_rows) {}

void risk_report::apply(risk_event rejection) {
  symbols_.add(run_text(rejection.run, &run_identity::symbol));
  strategies_.add(run_text(rejection.run, &run_identity::strategy_name));
  reasons_.add(text_or_na(rejection.comment));
  rows_.add(std::move(rejection));
}

void risk_report::clear() noexcept {
  rows_.clear();
  symbols_.clear();
  strategies_.clear();
  reasons_.clear();
}

risk_report_data risk_report::data() const {
  return {rows_.list(), rows_.total(), symbols_.sorted(), strategies_.sorted(), reasons_.sorted()};
}

std::string risk_report::summary() const {
  return join_blocks({counted_line("Total rejections", rows_.total()), "## Rejections by Symbol\n",
                      bullet_list(symbols_.sorted()), "## Rejections by Strategy\n",
                      bullet_list(strategies_.sorted()), "## Rejections by Reason\n",
                      bullet_list(reasons_.sorted())});
}

std::string risk_report::markdown(const column_list<risk_event>& columns) const {
  return rows_.page("Risk Rejection Report", "No risk rejections yet.", columns,
                    [this] { return summary(); });
}

std::string risk_report::file_name() const { return run_file_name(run()); }

std::filesystem::path risk_report::dump(const std::filesystem::path& directory,
                                        const column_list<risk_event>& columns) const {
  return write_text_file(directory / report_folder::risk, file_name(), markdown(columns));
}

} // namespace backtest
