#include "runtime/backtest_report.hpp"

#include "runtime/report_text.hpp"
#include "tests/runtime/sample_ticks.hpp"

#include <doctest/doctest.h>

#include <cmath>

using namespace backtest;
using namespace backtest::testing;

namespace {

backtest_report report_of(const std::vector<double>& returns, const configuration& config = {}) {
  const auto run = identity();
  backtest_report report(run, config);
  for (const trade_record& trade : trades_of(returns))
    report.apply(closed_trade(run, trade));
  return report;
}

const auto backtest_columns = default_backtest_columns(false);

} // namespace

TEST_CASE("backtest report: empty") {
  const backtest_report report(identity(), {});
  CHECK(report.markdown(backtest_columns) ==
        "# Backtest Report: BTCUSDT:cross\n"
        "\n"
        "**Mode:** backtest · **Exchange:** csv · **Frame:** q1\n"
        "\n"
        "No closed signals yet.\n");
  CHECK(report.data().signal_list.empty());
  CHECK(report.data().statistics.total_signals == 0);
  CHECK_FALSE(report.data().statistics.win_rate);
}

TEST_CASE("backtest report: a small run, word for word") {
  const auto run = identity();
  backtest_report report(run, {});
  auto trades = trades_of({2, -1});
  trades[1].peak = 0.25;
  trades[1].fall = -1.2;
  for (const auto& trade : trades)
    report.apply(closed_trade(run, trade));
  report.set_bounds({t0, t0 + 7 * day_ms, 40000.0, 41000.0});
  CHECK(
      report.markdown(backtest_columns) ==
      "# Backtest Report: BTCUSDT:cross\n"
      "\n"
      "**Mode:** backtest · **Exchange:** csv · **Frame:** q1\n"
      "\n"
      "| Signal ID | Symbol | Position | Open Price | Close Price | Take Profit | Stop Loss | PNL "
      "(net) | Close Reason | Duration (min) | Open Time | Close Time | Peak PNL | Fall PNL |\n"
      "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n"
      "| id1 | BTCUSDT | SHORT | 42000.50000000 USD | 42500.00000000 USD | 43000.00000000 USD | "
      "41000.00000000 USD | -1.00% | stop_loss | 660.00 | 2024-01-04T00:00:00Z | "
      "2024-01-04T11:00:00Z | +0.25% | -1.20% |\n"
      "| id0 | BTCUSDT | LONG | 42000.50000000 USD | 42500.00000000 USD | 43000.00000000 USD | "
      "41000.00000000 USD | +2.00% | take_profit | 600.00 | 2024-01-01T00:00:00Z | "
      "2024-01-01T10:00:00Z | N/A | N/A |\n"
      "\n"
      "**Total signals:** 2  \n"
      "**Closed signals:** 2  \n"
      "**Win rate:** 50.00% (1W / 1L) (higher is better)  \n"
      "**Average PNL:** +0.50% (higher is better)  \n"
      "**Total PNL:** +1.00% (higher is better)  \n"
      "**Standard Deviation:** N/A (min_trades_ratio)  \n"
      "**Sharpe Ratio:** N/A (min_trades_ratio)  \n"
      "**Annualized Sharpe Ratio:** N/A (min_trades_ratio)  \n"
      "**Sortino Ratio:** N/A (min_trades_ratio)  \n"
      "**Certainty Ratio:** N/A (min_trades_ratio)  \n"
      "**Profit Factor:** 2.000 (higher is better)  \n"
      "**Expectancy:** N/A (min_trades_ratio)  \n"
      "**Expected Yearly Returns:** N/A (min_trades_annual)  \n"
      "**Max Drawdown:** -1.20% (closer to 0 is better)  \n"
      "**Calmar Ratio:** N/A (min_trades_annual)  \n"
      "**Recovery Factor:** N/A (min_trades_ratio)  \n"
      "**Median PNL:** +0.500%  \n"
      "**Avg Win:** +2.00%  \n"
      "**Avg Loss:** -1.00%  \n"
      "**Max Win Streak:** 1  \n"
      "**Max Loss Streak:** 1  \n"
      "**Avg Win Streak PNL:** +2.000%  \n"
      "**Avg Loss Streak PNL:** -1.000%  \n"
      "**Avg Duration:** 630.0 min  \n"
      "**Avg Win Duration:** 600.0 min  \n"
      "**Avg Loss Duration:** 660.0 min  \n"
      "**Avg Peak PNL:** +0.25%  \n"
      "**Avg Fall PNL:** -1.20%  \n"
      "**Buy and Hold Return:** +2.50%  \n"
      "**Exposure:** 12.50%  \n"
      "\n"
      "*Ratios need ≥ 10 trades; annualised figures need ≥ 10 trades and ≥ 14 days; all equity "
      "figures assume 100 % of capital in each trade.*\n");
}

TEST_CASE("backtest report: figures of a larger run") {
  configuration config;
  config.max_trades_per_year = 365;
  const std::string text = report_of(returns_a, config).markdown(backtest_columns);
  for (const char* line :
       {"**Win rate:** 63.64% (7W / 4L) (higher is better)",
        "**Standard Deviation:** 1.591% (lower is better)",
        "**Sharpe Ratio:** 0.330 (higher is better)",
        "**Annualized Sharpe Ratio:** 3.752 (higher is better)",
        "**Expectancy:** +0.525% (higher is better)",
        "**Expected Yearly Returns:** +93.90% (higher is better)",
        "**Max Drawdown:** -2.50% (closer to 0 is better)", "≥ 14 days and ≤ 365 trades/year;"}) {
    CAPTURE(line);
    CHECK(text.find(line) != std::string::npos);
  }
  // Neither recorded nor measured: no line at all.
  for (const char* label : {"Avg Peak PNL", "Avg Fall PNL", "Buy and Hold", "Exposure", "Excluded"})
    CHECK(text.find(label + std::string(":")) == std::string::npos);
}

TEST_CASE("backtest report: only closes count, and a new run starts from nothing") {
  backtest_report report = report_of({1, 2, 3});
  for (const auto action : {tick_action::idle, tick_action::scheduled, tick_action::waiting,
                            tick_action::opened, tick_action::active, tick_action::cancelled}) {
    tick_result other;
    other.action = action;
    report.apply(other);
  }
  CHECK(report.statistics().total_signals == 3);
  report.set_bounds({t0, t0 + day_ms, 1.0, 2.0});
  report.clear();
  CHECK(report.statistics().total_signals == 0);
  CHECK_FALSE(report.statistics().buy_and_hold_return);
  CHECK(report.markdown(backtest_columns).find("No closed signals yet.") != std::string::npos);
}

TEST_CASE("backtest report: an excluded trade stays in the table") {
  const auto run = identity();
  backtest_report report(run, {});
  for (const auto& trade : trades_of({1, std::nan(""), -1}))
    report.apply(closed_trade(run, trade));
  tick_result bare;
  bare.action = tick_action::closed;
  report.apply(bare); // nothing but the fact
  const auto data = report.data();
  CHECK(data.signal_list.size() == 4);
  CHECK(data.statistics.total_signals == 4);
  CHECK(data.statistics.excluded_count == 2);
  const std::string text = report.markdown(backtest_columns);
  CHECK(text.find("\nExcluded trades: 2\n") != std::string::npos);
  CHECK(text.find("| id1 | BTCUSDT | SHORT |") != std::string::npos);
  CHECK(text.find("| N/A | N/A | N/A | N/A | 0.00000000 USD |") != std::string::npos);
}

TEST_CASE("backtest report: notes appear when asked for, as plain text") {
  const auto run = identity();
  backtest_report report(run, {});
  auto trade = trades_of({1})[0];
  report.apply(closed_trade(run, trade, "**breakout** a|b\nRSI < 30"));
  trade.seq = 1;
  report.apply(closed_trade(run, trade));
  CHECK(report.markdown(backtest_columns).find("Note") == std::string::npos);
  const std::string text = report.markdown(default_backtest_columns(true));
  CHECK(text.find("| Position | Note | Open Price |") != std::string::npos);
  CHECK(text.find("| LONG | breakout a\\|b RSI < 30 | 42000.50000000 USD |") != std::string::npos);
  CHECK(text.find("| SHORT | N/A | 42000.50000000 USD |") != std::string::npos);
}

TEST_CASE("backtest report: hostile names break neither lines nor files") {
  const auto run = identity("BTC|USDT\n# pwned", "../näive\r\nname");
  backtest_report report(run, {});
  report.apply(closed_trade(run, trades_of({1})[0]));
  const std::string text = report.markdown(backtest_columns);
  CHECK(text.starts_with("# Backtest Report: BTC|USDT # pwned:../näive name\n\n**Mode:**"));
  CHECK(text.find("| id0 | BTC\\|USDT # pwned | LONG |") != std::string::npos);
  CHECK(text.find("\n# pwned") == std::string::npos);
  CHECK(is_plain_name(report.file_name()));
  CHECK(report.file_name() != backtest_report(identity("BTC|USDT # pwned"), {}).file_name());
}

TEST_CASE("backtest report: rows and trades are bounded, totals are not") {
  configuration config;
  config.max_trade_sample = 1000;
  const auto run = identity();
  backtest_report report(run, config);
  const int total = 120'000;
  for (int i = 0; i < total; ++i) {
    trade_record trade;
    trade.open_ts = t0 + i * minute_ms;
    trade.close_ts = trade.open_ts + 30'000;
    trade.pnl = i < total - 1000 ? -50 : 1;
    trade.seq = static_cast<std::uint64_t>(i);
    report.apply(closed_trade(run, trade));
  }
  report.set_bounds({t0, t0 + total * minute_ms, {}, {}});
  const auto data = report.data();
  CHECK(data.signal_list.size() == 250);
  CHECK(data.signal_list.front().signal->id == "id119999");
  CHECK(data.signal_list.back().signal->id == "id119750");
  CHECK(data.statistics.total_signals == 120'000);
  CHECK(data.statistics.win_count == 1000);
  CHECK(data.statistics.loss_count == 119'000);
  CHECK(*data.statistics.total_pnl == 1000 - 119'000 * 50);
  CHECK(data.statistics.max_loss_streak == 119'000);
  CHECK(*data.statistics.median_pnl == 1);
  CHECK(data.statistics.sampled == std::vector<sampled_statistic>{{"median_pnl", 1000, 120'000}});
  CHECK(*data.statistics.exposure == doctest::Approx(50));
  CHECK(report.trades().records().size() == 1000);
  CHECK(report.trades().dropped() == 119'000);
  const std::string text = report.markdown(backtest_columns);
  CHECK(contains(text, "**Win rate:** 0.83% (1000W / 119000L)"));
  CHECK(contains(text, "**Median PNL:** +1.000% (latest 1000 of 120000 trades)  \n"));
  CHECK(contains(text, "\n*A figure of the latest trades covers those that are still held one by "
                       "one (max_trade_sample); every other figure covers all trades.*\n"));
  CHECK(contains(text, "\n*The newest 250 of 120000 rows.*\n"));
}

TEST_CASE("backtest report: the default sample holds 100000 trades") {
  trade_sample sample(static_cast<std::size_t>(configuration().max_trade_sample));
  auto trade = trades_of({1})[0];
  for (int i = 0; i < 100'001; ++i) {
    trade.pnl = i == 0 ? -1 : 1;
    trade.seq = static_cast<std::uint64_t>(i);
    sample.add(trade);
  }
  CHECK(sample.total() == 100'001);
  CHECK(sample.dropped() == 1);
  CHECK(compute_trade_statistics(sample.records(), {}).loss_count == 0);
  CHECK(compute_sample_statistics(sample, {}).loss_count == 1);
  sample.clear();
  CHECK(sample.total() == 0);
  CHECK(sample.dropped() == 0);
}

TEST_CASE("backtest report: rows can be replaced in place") {
  newest_rows<int> rows(3);
  for (int i = 1; i <= 5; ++i)
    rows.add(int{i});
  *rows.find([](int row) { return row == 4; }) = 40;
  CHECK(std::vector<int>(rows.begin(), rows.end()) == std::vector<int>{5, 40, 3});
  CHECK(rows.find([](int row) { return row == 1; }) == nullptr);
}

TEST_CASE("backtest report: default backtest_columns are valid and keyed as documented") {
  require_valid("backtest_columns", backtest_columns);
  std::vector<std::string> keys;
  for (const auto& c : backtest_columns)
    keys.push_back(c.key);
  CHECK(keys == std::vector<std::string>{"signal_id", "symbol", "position", "note", "open_price",
                                         "close_price", "take_profit", "stop_loss", "pnl",
                                         "close_reason", "duration", "open_timestamp",
                                         "close_timestamp", "peak_pnl", "fall_pnl"});
}

TEST_CASE("backtest report: written where it belongs") {
  const auto report = report_of({1, -1});
  CHECK(is_written_as(report, "backtest/BTCUSDT_cross.md", backtest_columns));
}
