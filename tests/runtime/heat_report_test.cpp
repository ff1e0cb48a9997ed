#include "runtime/heat_report.hpp"

#include "tests/runtime/sample_ticks.hpp"

#include <doctest/doctest.h>

#include <cmath>

using namespace backtest;
using namespace backtest::testing;

namespace {

const auto heat_columns = default_heat_columns();

void apply_trades(heat_report& report, const std::string& symbol,
                  const std::vector<double>& returns) {
  const auto run = identity(symbol);
  for (const auto& trade : trades_of(returns))
    report.apply(closed_trade(run, trade));
}

std::vector<std::string> symbols_of(const heat_report& report) {
  std::vector<std::string> symbols;
  for (const auto& row : report.data().symbols)
    symbols.push_back(row.symbol);
  return symbols;
}

using names = std::vector<std::string>;

} // namespace

TEST_CASE("heat report: empty") {
  const heat_report report("cross", run_mode::backtest, {});
  CHECK(report.markdown(heat_columns) == "# Portfolio Heatmap: cross\n"
                                         "\n"
                                         "**Mode:** backtest\n"
                                         "\n"
                                         "No data.\n");
  const auto data = report.data();
  CHECK(data.symbols.empty());
  CHECK(data.total_symbols == 0);
  CHECK(data.portfolio.total_signals == 0);
  CHECK_FALSE(data.portfolio.total_pnl);
  CHECK_FALSE(data.portfolio.max_drawdown);
}

TEST_CASE("heat report: a small run, word for word") {
  heat_report report("cross", run_mode::live, {});
  apply_trades(report, "ETHUSDT", {-1});
  apply_trades(report, "BTCUSDT", {2, 0.5});
  report.set_bounds("BTCUSDT", {t0, t0 + 7 * day_ms, 100.0, 110.0});
  CHECK(report.markdown(heat_columns) ==
        "# Portfolio Heatmap: cross\n"
        "\n"
        "**Mode:** live\n"
        "\n"
        "**Total Symbols:** 2  \n"
        "**Total Trades:** 3  \n"
        "**Portfolio PNL:** +1.50%  \n"
        "**Pooled Sharpe:** N/A (min_trades_ratio)  \n"
        "**Annualized Sharpe:** N/A (min_trades_ratio)  \n"
        "**Sortino:** N/A (min_trades_ratio)  \n"
        "**Std Dev:** N/A (min_trades_ratio)  \n"
        "**Profit Factor:** 2.500  \n"
        "**Certainty:** N/A (min_trades_ratio)  \n"
        "**Expectancy:** N/A (min_trades_ratio)  \n"
        "**Expected Yearly Returns:** N/A (min_trades_annual)  \n"
        "**Max Drawdown:** -1.00%  \n"
        "**Calmar:** N/A (min_trades_annual)  \n"
        "**Recovery:** N/A (min_trades_ratio)  \n"
        "**Trades Per Year:** N/A (min_trades_annual)  \n"
        "**Median PNL:** +0.50%  \n"
        "**Avg Duration:** 620.0 min  \n"
        "**Avg Win Duration:** 630.0 min  \n"
        "**Avg Loss Duration:** 600.0 min  \n"
        "**Avg Win Streak PNL:** +2.500%  \n"
        "**Avg Loss Streak PNL:** -1.000%  \n"
        "**Exposure:** 12.50%  \n"
        "\n"
        "| Symbol | Total PNL | Sharpe | Ann Sharpe | Sortino | PF | Expect | WR | Avg Win | Avg "
        "Loss | Max DD | Exp Yearly | Calmar | Recovery | Certainty | W Streak | L Streak | Median "
        "PNL | Avg Dur | Trades | Buy and Hold | Exposure |\n"
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- "
        "| --- | --- | --- | --- | --- | --- | --- |\n"
        "| BTCUSDT | +2.50% | N/A (min_trades_ratio) | N/A (min_trades_ratio) | N/A "
        "(min_trades_ratio) | N/A (no_losses) | N/A (min_trades_ratio) | 100.00% | +1.25% | N/A "
        "(no_losses) | 0.00% | N/A (min_trades_annual) | N/A (min_trades_annual) | N/A "
        "(min_trades_ratio) | N/A (min_trades_ratio) | 2 | 0 | +1.25% | 630.0 | 2 | +10.00% | "
        "12.50% |\n"
        "| ETHUSDT | -1.00% | N/A (min_trades_ratio) | N/A (min_trades_ratio) | N/A "
        "(min_trades_ratio) | 0.000 | N/A (min_trades_ratio) | 0.00% | N/A (no_wins) | -1.00% | "
        "-1.00% | N/A (min_trades_annual) | N/A (min_trades_annual) | N/A (min_trades_ratio) | N/A "
        "(min_trades_ratio) | 0 | 1 | -1.00% | 600.0 | 1 | N/A (not_measured) | N/A "
        "(not_measured) |\n"
        "\n"
        "*Portfolio figures pool the trades of all symbols in the order they closed, each with all "
        "capital: correlation between symbols and positions open at the same time are ignored.*\n"
        "\n"
        "*Ratios need ≥ 10 trades; annualised figures need ≥ 10 trades and ≥ 14 days; all equity "
        "figures assume 100 % of capital in each trade.*\n");
}

TEST_CASE("heat report: one symbol makes the golden figures") {
  heat_report report("cross", run_mode::backtest, {});
  apply_trades(report, "BTCUSDT", returns_a);
  const auto data = report.data();
  for (const auto* statistics : {&data.portfolio, &data.symbols.at(0).statistics}) {
    CHECK(figure(*statistics, "sharpe_ratio") == doctest::Approx(0.3299905718326338).epsilon(1e-9));
    CHECK(figure(*statistics, "annualized_sharpe_ratio") ==
          doctest::Approx(3.7523119385159958).epsilon(1e-9));
    CHECK(figure(*statistics, "max_drawdown") == doctest::Approx(2.5).epsilon(1e-9));
    CHECK(figure(*statistics, "recovery_factor") ==
          doctest::Approx(2.535230586956931).epsilon(1e-9));
  }
  CHECK(data.symbols[0].statistics.max_win_streak == 2);
  CHECK_FALSE(data.portfolio.max_win_streak);
}

TEST_CASE("heat report: portfolio figures pool trades, streaks stay within a symbol") {
  heat_report report("cross", run_mode::backtest, {});
  apply_trades(report, "A", {1, 1, 1, 1, 1, -1});
  apply_trades(report, "B", {2, 2, -2, 2, 2, 2});
  const auto data = report.data();
  CHECK(data.portfolio.total_signals == 12);
  CHECK(*data.portfolio.total_pnl == doctest::Approx(12));
  // Neither symbol has ten trades, together they do.
  CHECK_FALSE(data.symbols[0].statistics.sharpe_ratio);
  const double mean = 1, deviation = std::sqrt((5 * 0.0 + 4 + 5 * 1 + 9) / 11.0);
  CHECK(*data.portfolio.sharpe_ratio == doctest::Approx(mean / deviation).epsilon(1e-9));
  CHECK(*data.portfolio.avg_win_streak_pnl == doctest::Approx((5.0 + 4 + 6) / 3));
  CHECK(*data.portfolio.avg_loss_streak_pnl == doctest::Approx(-1.5));
}

TEST_CASE("heat report: best Sharpe first, symbols without one by PNL, then by name") {
  heat_report report("cross", run_mode::backtest, {});
  apply_trades(report, "poor", {1, -2, 1, -2, 1, -2, 1, -2, 1, -2});
  apply_trades(report, "good", {2, -1, 2, -1, 2, -1, 2, -1, 2, -1});
  apply_trades(report, "same_b", {3});
  apply_trades(report, "same_a", {3});
  apply_trades(report, "rich", {50});
  apply_trades(report, "broken", {std::nan("")});
  CHECK(symbols_of(report) == names{"good", "poor", "rich", "same_a", "same_b", "broken"});
}

TEST_CASE("heat report: a run clears its own symbol only") {
  heat_report report("cross", run_mode::backtest, {});
  apply_trades(report, "A", {1, 1});
  apply_trades(report, "B", {2});
  report.start("A", {});
  CHECK(symbols_of(report) == names{"B"}); // no trade, no row
  apply_trades(report, "A", {1, 1});
  CHECK(*report.data().portfolio.total_pnl == doctest::Approx(4));
  report.clear("B");
  CHECK(symbols_of(report) == names{"A"});
  report.clear();
  CHECK(report.data().total_symbols == 0);
  CHECK(contains(report.markdown(heat_columns), "No data."));
}

TEST_CASE("heat report: only closes count, and gates are those of the run") {
  heat_report report("cross", run_mode::backtest, {});
  const auto run = identity();
  report.apply(idle_tick(run, t0));
  report.apply(opened_tick(run, t0, signal_of(*run, "a", t0)));
  CHECK(report.data().total_symbols == 0);
  configuration config;
  config.min_trades_ratio = 2;
  report.start("BTCUSDT", config);
  apply_trades(report, "BTCUSDT", {2, 1});
  CHECK(report.data().symbols[0].statistics.sharpe_ratio);
  CHECK(report.data().portfolio.sharpe_ratio);
  CHECK(contains(report.markdown(heat_columns), "*Ratios need ≥ 2 trades;"));
}

TEST_CASE("heat report: hostile names break neither lines nor files") {
  heat_report report("../näive\r\nname|x", run_mode::backtest, {});
  apply_trades(report, "BTC|USDT\n# pwned", {1});
  apply_trades(report, "", {2});
  const std::string text = report.markdown(heat_columns);
  CHECK(text.starts_with("# Portfolio Heatmap: ../näive name|x\n\n**Mode:**"));
  CHECK(contains(text, "\n| BTC\\|USDT # pwned | +1.00% |"));
  CHECK(contains(text, "\n| N/A | +2.00% |"));
  CHECK(is_plain_name(report.file_name()));
}

TEST_CASE("heat report: trades are bounded per symbol, totals are not") {
  configuration config;
  config.max_trade_sample = 100;
  heat_report report("cross", run_mode::backtest, config);
  for (int i = 0; i < 100'000; ++i) {
    const instant open = t0 + i * minute_ms;
    report.apply(closed_trade(identity(i % 2 ? "A" : "B"),
                              {open, open + 30'000, 1, {}, {}, static_cast<std::uint64_t>(i)}));
  }
  const auto data = report.data();
  CHECK(data.portfolio.total_signals == 100'000);
  CHECK(data.portfolio.win_count == 100'000);
  CHECK(data.portfolio.sampled == std::vector<sampled_statistic>{{"median_pnl", 100, 100'000}});
  CHECK(data.symbols[0].statistics.total_signals == 50'000);
  CHECK(data.symbols[0].statistics.win_count == 50'000);
  const std::string text = report.markdown(heat_columns);
  CHECK(contains(text, "**Median PNL:** +1.00% (latest 100 of 100000 trades)  \n"));
  CHECK(contains(text, "| +1.00% (latest 100 of 50000 trades) |"));
  CHECK(contains(text, "(max_trade_sample); every other figure covers all trades.*\n"));
}

TEST_CASE("heat report: default heat_columns and file") {
  require_valid("heat_columns", heat_columns);
  CHECK(keys_of(heat_columns) == std::vector<std::string>{"symbol",
                                                          "total_pnl",
                                                          "sharpe_ratio",
                                                          "annualized_sharpe_ratio",
                                                          "sortino_ratio",
                                                          "profit_factor",
                                                          "expectancy",
                                                          "win_rate",
                                                          "avg_win",
                                                          "avg_loss",
                                                          "max_drawdown",
                                                          "expected_yearly_returns",
                                                          "calmar_ratio",
                                                          "recovery_factor",
                                                          "certainty_ratio",
                                                          "max_win_streak",
                                                          "max_loss_streak",
                                                          "median_pnl",
                                                          "avg_duration",
                                                          "total_trades",
                                                          "buy_and_hold_return",
                                                          "exposure"});
  heat_report report("cross", run_mode::backtest, {});
  apply_trades(report, "A", {1});
  CHECK(is_written_as(report, "heatmap/cross_backtest.md", heat_columns));
  CHECK(heat_report("cross", run_mode::live, {}).file_name() == "cross_live.md");
}
