#pragma once

#include "messages/event.hpp"
#include "runtime/statistics.hpp"

#include <optional>
#include <span>
#include <string>

namespace backtest {

/// One line of the table `backtest run` prints: a strategy on a symbol, or the portfolio.
struct summary_row {
  std::string strategy_name;
  std::string symbol;
  std::int64_t opened = 0;
  std::int64_t closed = 0;
  std::optional<double> win_rate;  ///< percent
  std::optional<double> total_pnl; ///< percent
  std::optional<double> sharpe_ratio;
  std::optional<double> max_drawdown; ///< percent, positive
  std::optional<double> profit_factor;
  run_outcome outcome = run_outcome::completed;
};

summary_row summary_row_of(std::string strategy_name, std::string symbol, std::int64_t opened,
                           const trade_statistics& statistics, run_outcome outcome);

enum class text_colour : std::uint8_t { plain, ansi };

/// Aligned columns for a terminal, the portfolio line set apart below. Colour changes no column.
std::string summary_table(std::span<const summary_row> rows,
                          const std::optional<summary_row>& portfolio,
                          text_colour colour = text_colour::plain);

} // namespace backtest
