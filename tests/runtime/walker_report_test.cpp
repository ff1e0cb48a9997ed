#include "runtime/walker_report.hpp"

#include "messages/error.hpp"
#include "tests/runtime/sample_ticks.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

using namespace backtest;
using namespace backtest::testing;

namespace {

const auto strategy_columns = default_walker_strategy_columns();
const auto pnl_columns = default_walker_pnl_columns();

walker_schema walker_of(std::vector<std::string> strategies, std::string metric = "total_pnl") {
  return {"compare", "", "csv", "q1", std::move(strategies), std::move(metric)};
}

backtest_report_data result_of(const std::string& strategy, const std::vector<double>& returns,
                               const configuration& config = {}) {
  const auto run = identity("BTCUSDT", strategy);
  backtest_report report(run, config);
  for (const auto& trade : trades_of(returns))
    report.apply(closed_trade(run, trade));
  return report.data();
}

std::string text_of(const walker_report& report) {
  return report.markdown(strategy_columns, pnl_columns);
}

/// "grid 3.5", "cross", "slow 9 partial": best first.
std::vector<std::string> ranking_of(const walker_report& report) {
  std::vector<std::string> ranking;
  for (const auto& item : report.data().strategy_results)
    ranking.push_back(item.strategy_name +
                      (item.metric_value ? fmt::format(" {}", *item.metric_value) : "") +
                      (item.partial ? " partial" : ""));
  return ranking;
}

using names = std::vector<std::string>;

} // namespace

TEST_CASE("walker report: before any result") {
  const walker_report report(walker_of({"cross", "grid"}), "BTCUSDT", {});
  CHECK(text_of(report) == "# Walker Comparison Report: compare\n"
                           "\n"
                           "**Symbol:** BTCUSDT  \n"
                           "**Exchange:** csv  \n"
                           "**Frame:** q1  \n"
                           "**Optimization Metric:** total_pnl  \n"
                           "**Strategies Tested:** 0 / 2  \n"
                           "\n"
                           "## Best Strategy: N/A\n"
                           "\n"
                           "## Top Strategies Comparison\n"
                           "\n"
                           "No strategy results.\n"
                           "\n"
                           "## All Signals (PNL Table)\n"
                           "\n"
                           "No closed signals.\n"
                           "\n"
                           "*Higher values are better, except of Std Dev and Max DD.*\n");
  const auto data = report.data();
  CHECK(data.walker_name == "compare");
  CHECK(data.total_strategies == 2);
  CHECK(data.strategies_tested == 0);
  CHECK(data.strategies_failed == 0);
  CHECK_FALSE(data.stopped);
  CHECK_FALSE(data.best_strategy);
  CHECK_FALSE(data.best_metric);
  CHECK_FALSE(data.best_statistics);
  CHECK(data.strategy_results.empty());
}

TEST_CASE("walker report: a small walk, word for word") {
  walker_report report(walker_of({"cross", "grid", "broken"}), "BTCUSDT", {});
  report.add("cross", result_of("cross", {-1}));
  report.add("grid", result_of("grid", {2, 0.5}));
  report.add_failure("broken");
  CHECK(
      text_of(report) ==
      "# Walker Comparison Report: compare\n"
      "\n"
      "**Symbol:** BTCUSDT  \n"
      "**Exchange:** csv  \n"
      "**Frame:** q1  \n"
      "**Optimization Metric:** total_pnl  \n"
      "**Strategies Tested:** 2 / 3 (1 failed)  \n"
      "\n"
      "## Best Strategy: grid\n"
      "\n"
      "**Best total_pnl:** 2.500  \n"
      "**Total Signals:** 2  \n"
      "**Sortino Ratio:** N/A (min_trades_ratio)  \n"
      "**Calmar Ratio:** N/A (min_trades_annual)  \n"
      "**Recovery Factor:** N/A (min_trades_ratio)  \n"
      "\n"
      "## Top Strategies Comparison\n"
      "\n"
      "| Rank | Strategy | Metric | Total Signals | Win Rate | Avg PNL | Total PNL | Sharpe Ratio "
      "| Std Dev | Sortino | Calmar | Recovery | Max DD | Buy and Hold | Exposure |\n"
      "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- "
      "|\n"
      "| 1 | grid | 2.500 | 2 | 100.00% | +1.25% | +2.50% | N/A (min_trades_ratio) | N/A "
      "(min_trades_ratio) | N/A (min_trades_ratio) | N/A (min_trades_annual) | N/A "
      "(min_trades_ratio) | 0.00% | N/A (not_measured) | N/A (not_measured) |\n"
      "| 2 | cross | -1.000 | 1 | 0.00% | -1.00% | -1.00% | N/A (min_trades_ratio) | N/A "
      "(min_trades_ratio) | N/A (min_trades_ratio) | N/A (min_trades_annual) | N/A "
      "(min_trades_ratio) | -1.00% | N/A (not_measured) | N/A (not_measured) |\n"
      "\n"
      "## All Signals (PNL Table)\n"
      "\n"
      "| Strategy | Signal ID | Symbol | Position | PNL (net) | Close Reason | Open Time | Close "
      "Time |\n"
      "| --- | --- | --- | --- | --- | --- | --- | --- |\n"
      "| cross | id0 | BTCUSDT | LONG | -1.00% | stop_loss | 2024-01-01T00:00:00Z | "
      "2024-01-01T10:00:00Z |\n"
      "| grid | id1 | BTCUSDT | SHORT | +0.50% | take_profit | 2024-01-04T00:00:00Z | "
      "2024-01-04T11:00:00Z |\n"
      "| grid | id0 | BTCUSDT | LONG | +2.00% | take_profit | 2024-01-01T00:00:00Z | "
      "2024-01-01T10:00:00Z |\n"
      "\n"
      "*Higher values are better, except of Std Dev and Max DD.*\n");
  const auto data = report.data();
  CHECK(data.best_strategy == "grid");
  CHECK(*data.best_metric == doctest::Approx(2.5));
  CHECK(data.best_statistics->total_signals == 2);
  CHECK(data.strategies_failed == 1);
}

TEST_CASE("walker report: ties keep the earlier strategy, absent values come last") {
  walker_report report(walker_of({"a", "b", "c", "d", "e"}), "BTCUSDT", {});
  // The order of arrival does not matter.
  report.add("e", result_of("e", {}));
  report.add("d", result_of("d", {3}));
  report.add("c", result_of("c", {1, 2}));
  report.add("b", result_of("b", {}));
  report.add("a", result_of("a", {-1}));
  CHECK(ranking_of(report) == names{"c 3", "d 3", "a -1", "b", "e"});
  CHECK(report.data().best_strategy == "c");
}

TEST_CASE("walker report: what was cut short is shown last and never wins") {
  walker_report report(walker_of({"a", "b", "c"}), "BTCUSDT", {});
  report.add("a", result_of("a", {1}));
  report.add("b", result_of("b", {5}), true);
  report.stop();
  CHECK(ranking_of(report) == names{"a 1", "b 5 partial"});
  const auto data = report.data();
  CHECK(data.best_strategy == "a");
  CHECK(data.strategies_tested == 1);
  CHECK(data.stopped);
  CHECK(contains(text_of(report), "**Strategies Tested:** 1 / 3 (stopped)  \n"));
  CHECK(contains(text_of(report), "| 2 | b (partial) | 5.000 |"));
}

TEST_CASE("walker report: a stop that came too late left nothing undone") {
  walker_report report(walker_of({"a", "b"}), "BTCUSDT", {});
  report.add("a", result_of("a", {1}));
  report.add_failure("b");
  report.stop();
  CHECK_FALSE(report.data().stopped);
}

TEST_CASE("walker report: without an eligible strategy there is no winner, and it says so") {
  walker_report report(walker_of({"a", "b"}, "sharpe_ratio"), "BTCUSDT", {});
  report.add("a", result_of("a", {1, 2}));
  report.add("b", result_of("b", returns_a), true);
  CHECK(ranking_of(report) == names{"a", fmt::format("b {} partial", 0.32999057183263381)});
  CHECK_FALSE(report.data().best_strategy);
  CHECK(contains(text_of(report), "## Best Strategy: N/A\n\nNo winner: no strategy that ran to "
                                  "its end has a sharpe_ratio.\n\n## Top"));
  CHECK(contains(text_of(report), "| 1 | a | N/A (min_trades_ratio) | 2 |"));
}

TEST_CASE("walker report: every metric is a figure, no other is a metric") {
  const auto result = result_of("a", returns_a);
  CHECK(walker_metrics().size() == 12);
  for (const auto metric : walker_metrics()) {
    CAPTURE(metric);
    walker_report report(walker_of({"a"}, std::string(metric)), "BTCUSDT", {});
    report.add("a", result);
    CHECK(*report.data().best_metric == figure(result.statistics, metric));
  }
  for (const char* metric : {"", "max_drawdown", "total_signals", "Sharpe"})
    CHECK_THROWS_WITH_AS(walker_report(walker_of({"a"}, metric), "BTCUSDT", {}),
                         doctest::Contains("must be one of sharpe_ratio, annualized_sharpe_ratio"),
                         failure);
}

TEST_CASE("walker report: the figures are those of the moment, a new walk starts from nothing") {
  walker_report report(walker_of({"a"}), "BTCUSDT", {});
  report.add("a", result_of("a", {1}));
  report.add("a", result_of("a", {2})); // told again
  CHECK(ranking_of(report) == names{"a 2"});
  report.add_failure("a");
  CHECK(report.data().strategies_failed == 1);
  CHECK(report.data().strategies_tested == 0);
  report.stop();
  report.clear();
  CHECK(report.data().strategies_failed == 0);
  CHECK(report.data().total_strategies == 1);
  CHECK_FALSE(report.data().stopped);
  CHECK(contains(text_of(report), "No strategy results."));
  CHECK_THROWS_AS(report.add("stranger", {}), failure);
}

TEST_CASE("walker report: hostile names break neither lines nor files") {
  walker_schema walker = walker_of({"a|b\n# pwned"});
  walker.walker_name = "../näive\r\nname";
  walker_report report(walker, "BTC|USDT\n# pwned", {});
  report.add("a|b\n# pwned", result_of("a|b\n# pwned", {1}));
  const std::string text = text_of(report);
  CHECK(text.starts_with("# Walker Comparison Report: ../näive name\n\n"));
  CHECK(contains(text, "**Symbol:** BTC|USDT # pwned  \n"));
  CHECK(contains(text, "## Best Strategy: a|b # pwned\n"));
  CHECK(contains(text, "| 1 | a\\|b # pwned | 1.000 |"));
  CHECK_FALSE(contains(text, "\n# pwned"));
  CHECK(is_plain_name(report.file_name()));
}

TEST_CASE("walker report: ten strategies are compared, all signals held are listed") {
  names strategies;
  for (int i = 0; i < 12; ++i)
    strategies.push_back(fmt::format("s{}", i));
  configuration config;
  config.max_report_rows = 2;
  walker_report report(walker_of(strategies), "BTCUSDT", config);
  for (int i = 0; i < 12; ++i)
    report.add(strategies[static_cast<std::size_t>(i)],
               result_of(strategies[static_cast<std::size_t>(i)], {1.0 * i, 0, 0}));
  const std::string text = text_of(report);
  CHECK(contains(text, "| 1 | s11 | 11.000 |"));
  CHECK(contains(text, "| 10 | s2 | 2.000 |"));
  CHECK_FALSE(contains(text, "| 11 | "));
  CHECK(report.data().strategy_results.size() == 12);
  CHECK(contains(text, "| s1 | id2 |"));
  CHECK(contains(text, "| s1 | id1 |"));
  CHECK_FALSE(contains(text, "| s1 | id0 |"));
}

TEST_CASE("walker report: 100000 signals of a strategy are cut to the newest rows") {
  const auto run = identity("BTCUSDT", "a");
  backtest_report_data result;
  for (int i = 100'000; i-- > 0;)
    result.signal_list.push_back(
        closed_trade(run, {t0, t0 + 1, 1, {}, {}, static_cast<std::uint64_t>(i)}));
  walker_report report(walker_of({"a"}), "BTCUSDT", {});
  report.add("a", std::move(result));
  const std::string text = text_of(report);
  CHECK(contains(text, "| a | id99999 |"));
  CHECK(contains(text, "| a | id99750 |"));
  CHECK_FALSE(contains(text, "| a | id99749 |"));
}

TEST_CASE("walker report: default columns, own columns, file") {
  require_valid("walker_strategy_columns", strategy_columns);
  require_valid("walker_pnl_columns", pnl_columns);
  CHECK(keys_of(strategy_columns) ==
        names{"rank", "strategy", "metric", "total_signals", "win_rate", "avg_pnl", "total_pnl",
              "sharpe_ratio", "std_dev", "sortino_ratio", "calmar_ratio", "recovery_factor",
              "max_drawdown", "buy_and_hold_return", "exposure"});
  CHECK(keys_of(pnl_columns) == names{"strategy", "signal_id", "symbol", "position", "pnl",
                                      "close_reason", "open_time", "close_time"});
  walker_report report(walker_of({"a"}), "BTCUSDT", {});
  report.add("a", result_of("a", {1}));
  const column_list<walker_result> own{
      {"name", "Name", [](const walker_result& row, std::size_t) { return row.strategy_name; }}};
  CHECK(contains(report.markdown(own, {}), "Comparison\n\n| Name |\n| --- |\n| a |\n\n## All"));
  CHECK(is_written_as(report, "walker/BTCUSDT_compare.md", strategy_columns, pnl_columns));
}
