#include "runtime/summary_table.hpp"

#include "tests/runtime/sample_trades.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace backtest;
using namespace backtest::testing;

namespace {

std::vector<summary_row> two_rows() {
  const auto statistics = compute_trade_statistics(trades_of(returns_a), {});
  summary_row failed;
  failed.strategy_name = "grille_à_seuil";
  failed.symbol = "ETHUSDT";
  failed.total_pnl = -1.234;
  failed.outcome = run_outcome::failed;
  return {summary_row_of("cross", "BTCUSDT", 13, statistics, run_outcome::completed), failed};
}

std::string without_colour(std::string text) {
  for (std::size_t at = 0; (at = text.find('\x1b', at)) != std::string::npos;)
    text.erase(at, text.find('m', at) - at + 1);
  return text;
}

} // namespace

TEST_CASE("summary table: aligned, the portfolio set apart") {
  auto rows = two_rows();
  summary_row portfolio = rows[0];
  portfolio.strategy_name = "portfolio";
  portfolio.symbol = "";
  portfolio.outcome = run_outcome::stopped;
  CHECK(summary_table(rows, portfolio) == "Strategy        Symbol   Opened  Closed  Win rate  "
                                          "Total PNL  Sharpe  Max DD  Profit factor  Outcome\n"
                                          "--------------------------------------------------------"
                                          "----------------------------------------------\n"
                                          "cross           BTCUSDT      13      12    63.64%     "
                                          "+6.30%   0.330  -2.50%          2.260  completed\n"
                                          "grille_à_seuil  ETHUSDT       0       0       N/A     "
                                          "-1.23%     N/A     N/A            N/A  failed\n"
                                          "--------------------------------------------------------"
                                          "----------------------------------------------\n"
                                          "portfolio                    13      12    63.64%     "
                                          "+6.30%   0.330  -2.50%          2.260  stopped\n");
}

TEST_CASE("summary table: colour changes no column") {
  const auto rows = two_rows();
  const std::string plain = summary_table(rows, rows[0]);
  const std::string coloured = summary_table(rows, rows[0], text_colour::ansi);
  CHECK(plain.find('\x1b') == std::string::npos);
  CHECK(without_colour(coloured) == plain);
  CHECK(coloured.find("\x1b[32m+6.30%\x1b[0m") != std::string::npos);
  CHECK(coloured.find("\x1b[31m-1.23%\x1b[0m") != std::string::npos);
  CHECK(coloured.find("\x1b[31mfailed\x1b[0m") != std::string::npos);
}

TEST_CASE("summary table: names cannot reach the terminal's controls") {
  summary_row row;
  row.strategy_name = "a\x1b[2J\nb";
  const std::string text = summary_table(std::vector{row}, {});
  CHECK(text.find("a?[2J?b") != std::string::npos);
  CHECK(std::count(text.begin(), text.end(), '\n') == 3);
}

TEST_CASE("summary table: nothing ran") {
  CHECK(summary_table({}, {}) == "Strategy  Symbol  Opened  Closed  Win rate  Total PNL  Sharpe  "
                                 "Max DD  Profit factor  Outcome\n");
}
