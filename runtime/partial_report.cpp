#include "runtime/partial_report.hpp"

#include "runtime/cell_text.hpp"
#include "runtime/number_text.hpp"
#include "runtime/report_directory.hpp"
#include "runtime/text_file.hpp"

#include <fmt/format.h>

namespace backtest {

namespace {

bool is_profit(const partial_event& row) noexcept { return row.side == milestone_side::profit; }

std::string action(const partial_event& row, std::size_t) {
  return is_profit(row) ? "PROFIT" : "LOSS";
}

std::string symbol(const partial_event& row, std::size_t) {
  return run_text(row.run, &run_identity::symbol);
}

std::string strategy_name(const partial_event& row, std::size_t) {
  return run_text(row.run, &run_identity::strategy_name);
}

std::string signal_id(const partial_event& row, std::size_t) {
  return text_or_na(row.signal ? row.signal->id : "");
}

std::string position(const partial_event& row, std::size_t) {
  return row.signal ? position_text(row.signal->position) : std::string(not_available);
}

std::string level(const partial_event& row, std::size_t) {
  return fmt::format("{}{}%", is_profit(row) ? '+' : '-', row.level);
}

std::string current_price(const partial_event& row, std::size_t) {
  return price_text(row.current_price);
}

std::string timestamp(const partial_event& row, std::size_t) { return time_text(row.timestamp); }

std::string mode(const partial_event& row, std::size_t) {
  if (!row.run)
    return std::string(not_available);
  return row.run->mode == run_mode::backtest ? "Backtest" : "Live";
}

} // namespace

column_list<partial_event> default_partial_columns() {
  return {
      {"action", "Action", action},
      {"symbol", "Symbol", symbol},
      {"strategy_name", "Strategy", strategy_name},
      {"signal_id", "Signal ID", signal_id},
      {"position", "Position", position},
      {"level", "Level %", level},
      {"current_price", "Current Price", current_price},
      {"timestamp", "Timestamp", timestamp},
      {"mode", "Mode", mode},
  };
}

partial_report::partial_report(shared_identity run, const configuration& config)
    : rows_(std::move(run), config.max_report_rows) {}

void partial_report::apply(partial_event milestone) {
  total_profit_ += is_profit(milestone) ? 1 : 0;
  rows_.add(std::move(milestone));
}

void partial_report::clear() noexcept {
  rows_.clear();
  total_profit_ = 0;
}

partial_report_data partial_report::data() const {
  return {rows_.list(), rows_.total(), total_profit_, rows_.total() - total_profit_};
}

std::string partial_report::markdown(const column_list<partial_event>& columns) const {
  return rows_.page("Partial Profit/Loss Report", "No partial events yet.", columns, [this] {
    return counted_line("Total events", rows_.total()) +
           counted_line("Profit events", total_profit_) +
           counted_line("Loss events", rows_.total() - total_profit_);
  });
}

std::string partial_report::file_name() const { return run_file_name(run()); }

std::filesystem::path partial_report::dump(const std::filesystem::path& directory,
                                           const column_list<partial_event>& columns) const {
  return write_text_file(directory / report_folder::partial, file_name(), markdown(columns));
}

} // namespace backtest
