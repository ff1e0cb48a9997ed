#include "runtime/partial_report.hpp"

#include "tests/runtime/sample_ticks.hpp"

#include <doctest/doctest.h>

using namespace backtest;
using namespace backtest::testing;

namespace {

const auto partial_columns = default_partial_columns();

partial_event milestone(const shared_identity& run, milestone_side side, int level,
                        std::string id = "a") {
  partial_event result;
  result.run = run;
  result.signal = std::make_shared<signal_row>(signal_of(*run, std::move(id), t0));
  result.side = side;
  result.level = level;
  result.current_price = 42300.25;
  result.timestamp = t0 + level * minute_ms;
  return result;
}

} // namespace

TEST_CASE("partial report: empty") {
  const partial_report report(identity(), {});
  CHECK(report.markdown(partial_columns) ==
        "# Partial Profit/Loss Report: BTCUSDT:cross\n"
        "\n"
        "**Mode:** backtest · **Exchange:** csv · **Frame:** q1\n"
        "\n"
        "No partial events yet.\n");
  CHECK(report.data().event_list.empty());
  CHECK(report.data().total_events == 0);
}

TEST_CASE("partial report: a small run, word for word") {
  const auto run = live_identity();
  partial_report report(run, {});
  report.apply(milestone(run, milestone_side::profit, 10));
  report.apply(milestone(run, milestone_side::profit, 20));
  report.apply(milestone(run, milestone_side::loss, 100, "b"));
  CHECK(report.markdown(partial_columns) ==
        "# Partial Profit/Loss Report: BTCUSDT:cross\n"
        "\n"
        "**Mode:** live · **Exchange:** csv\n"
        "\n"
        "| Action | Symbol | Strategy | Signal ID | Position | Level % | Current Price | Timestamp "
        "| Mode |\n"
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n"
        "| LOSS | BTCUSDT | cross | b | LONG | -100% | 42300.25000000 USD | 2024-01-01T01:40:00Z | "
        "Live |\n"
        "| PROFIT | BTCUSDT | cross | a | LONG | +20% | 42300.25000000 USD | 2024-01-01T00:20:00Z "
        "| Live |\n"
        "| PROFIT | BTCUSDT | cross | a | LONG | +10% | 42300.25000000 USD | 2024-01-01T00:10:00Z "
        "| Live |\n"
        "\n"
        "**Total events:** 3  \n"
        "**Profit events:** 2  \n"
        "**Loss events:** 1  \n");
  const auto data = report.data();
  CHECK(data.event_list.front().level == 100);
  CHECK(data.total_events == 3);
  CHECK(data.total_profit == 2);
  CHECK(data.total_loss == 1);
}

TEST_CASE("partial report: an event that lacks what it should carry") {
  partial_report report(identity(), {});
  report.apply({});
  CHECK(contains(report.markdown(partial_columns), "| PROFIT | N/A | N/A | N/A | N/A | +0% |"));
  CHECK(contains(report.markdown(partial_columns), "| 1970-01-01T00:00:00Z | N/A |"));
}

TEST_CASE("partial report: hostile names break neither lines nor files") {
  const auto run = identity("BTC|USDT\n# pwned", "../näive\r\nname");
  partial_report report(run, {});
  report.apply(milestone(run, milestone_side::profit, 10, "i|d"));
  const std::string text = report.markdown(partial_columns);
  CHECK(text.starts_with("# Partial Profit/Loss Report: BTC|USDT # pwned:../näive name\n\n"));
  CHECK(contains(text, "| PROFIT | BTC\\|USDT # pwned | ../näive name | i\\|d | LONG |"));
  CHECK(contains(text, "| Backtest |"));
  CHECK(is_plain_name(report.file_name()));
}

TEST_CASE("partial report: rows are bounded, counts are not, a new run starts from nothing") {
  const auto run = identity();
  partial_report report(run, {});
  for (int i = 0; i < 100'000; ++i)
    report.apply(milestone(run, i % 4 ? milestone_side::loss : milestone_side::profit, i));
  const auto data = report.data();
  CHECK(data.event_list.size() == 250);
  CHECK(data.event_list.front().level == 99'999);
  CHECK(data.event_list.back().level == 99'750);
  CHECK(data.total_profit == 25'000);
  CHECK(data.total_loss == 75'000);
  report.clear();
  CHECK(report.data().total_events == 0);
  CHECK(report.data().total_profit == 0);
  CHECK(contains(report.markdown(partial_columns), "No partial events yet."));
}

TEST_CASE("partial report: default partial_columns, own partial_columns, file") {
  require_valid("partial_columns", partial_columns);
  CHECK(keys_of(partial_columns) == std::vector<std::string>{"action", "symbol", "strategy_name",
                                                             "signal_id", "position", "level",
                                                             "current_price", "timestamp", "mode"});
  const auto run = identity();
  partial_report report(run, {});
  report.apply(milestone(run, milestone_side::profit, 30));
  const column_list<partial_event> own{
      {"level", "Level",
       [](const partial_event& row, std::size_t) { return std::to_string(row.level); }}};
  CHECK(contains(report.markdown(own), "\n\n| Level |\n| --- |\n| 30 |\n\n**Total"));
  CHECK(is_written_as(report, "partial/BTCUSDT_cross_backtest.md", partial_columns));
  CHECK(partial_report(live_identity(), {}).file_name() == "BTCUSDT_cross_live.md");
}
