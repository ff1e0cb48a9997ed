#include "runtime/summary_table.hpp"

#include "runtime/number_text.hpp"
#include "runtime/terminal_text.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace backtest {

namespace {

constexpr std::size_t column_count = 10;
constexpr std::size_t outcome_column = 9;

constexpr std::string_view bold = "\x1b[1m";
constexpr std::string_view red = "\x1b[31m";
constexpr std::string_view green = "\x1b[32m";
constexpr std::string_view yellow = "\x1b[33m";
constexpr std::string_view reset = "\x1b[0m";

struct cell {
  std::string text;
  std::string_view colour = {};
};
using table_row = std::array<cell, column_count>;

bool is_left_aligned(std::size_t column) noexcept { return column < 2 || column == outcome_column; }

std::string_view colour_of(std::optional<double> pnl) noexcept {
  return !pnl ? "" : *pnl > 0 ? green : *pnl < 0 ? red : "";
}

std::string_view colour_of(run_outcome outcome) noexcept {
  return outcome == run_outcome::failed ? red : outcome == run_outcome::stopped ? yellow : "";
}

table_row heading() {
  table_row row;
  constexpr std::array<std::string_view, column_count> labels{
      "Strategy",  "Symbol", "Opened", "Closed",        "Win rate",
      "Total PNL", "Sharpe", "Max DD", "Profit factor", "Outcome"};
  for (std::size_t i = 0; i < column_count; ++i)
    row[i] = {std::string(labels[i]), bold};
  return row;
}

table_row cells_of(const summary_row& row) {
  const auto negated = row.max_drawdown ? std::optional(-*row.max_drawdown) : std::nullopt;
  return {{{printable(row.strategy_name)},
           {printable(row.symbol)},
           {fmt::format("{}", row.opened)},
           {fmt::format("{}", row.closed)},
           {percent_text(row.win_rate, 2)},
           {signed_percent_text(row.total_pnl, 2), colour_of(row.total_pnl)},
           {fixed_text(row.sharpe_ratio, 3)},
           {percent_text(negated, 2)},
           {fixed_text(row.profit_factor, 3)},
           {std::string(to_string(row.outcome)), colour_of(row.outcome)}}};
}

} // namespace

summary_row summary_row_of(std::string strategy_name, std::string symbol, std::int64_t opened,
                           const trade_statistics& statistics, run_outcome outcome) {
  return {std::move(strategy_name),
          std::move(symbol),
          opened,
          statistics.total_signals,
          statistics.win_rate,
          statistics.total_pnl,
          statistics.sharpe_ratio,
          statistics.max_drawdown,
          statistics.profit_factor,
          outcome};
}

std::string summary_table(std::span<const summary_row> rows,
                          const std::optional<summary_row>& portfolio, text_colour colour) {
  std::vector<table_row> table{heading()};
  for (const summary_row& row : rows)
    table.push_back(cells_of(row));
  if (portfolio)
    table.push_back(cells_of(*portfolio));

  std::array<std::size_t, column_count> widths{};
  std::size_t total = 2 * (column_count - 1);
  for (std::size_t i = 0; i < column_count; ++i) {
    for (const table_row& row : table)
      widths[i] = std::max(widths[i], width_of(row[i].text));
    total += widths[i];
  }

  const auto line_of = [&](const table_row& row) {
    std::string line;
    for (std::size_t i = 0; i < column_count; ++i) {
      const std::string padding(widths[i] - width_of(row[i].text), ' ');
      const bool is_coloured = colour == text_colour::ansi && !row[i].colour.empty();
      const std::string text =
          is_coloured ? fmt::format("{}{}{}", row[i].colour, row[i].text, reset) : row[i].text;
      line += i == 0 ? "" : "  ";
      // The last column needs no padding behind it.
      line += !is_left_aligned(i) ? padding + text : i + 1 < column_count ? text + padding : text;
    }
    return line + '\n';
  };

  const std::string rule(total, '-');
  std::string out;
  for (std::size_t i = 0; i < table.size(); ++i) {
    const bool is_portfolio = portfolio && i + 1 == table.size();
    if (i == 1 || (is_portfolio && i > 1))
      out += rule + '\n';
    out += line_of(table[i]);
  }
  return out;
}

} // namespace backtest
