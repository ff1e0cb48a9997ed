#include "runtime/live_report.hpp"

#include "tests/runtime/sample_ticks.hpp"

#include <doctest/doctest.h>

using namespace backtest;
using namespace backtest::testing;

namespace {

const auto live_columns = default_live_columns(false);

/// "CLOSED id1", "IDLE N/A", newest first.
std::vector<std::string> rows_of(const live_report& report) {
  std::vector<std::string> rows;
  for (const auto& row : report.data().event_list)
    rows.push_back(std::string(to_string(row.action)) + ' ' + (row.signal ? row.signal->id : "-"));
  return rows;
}

using rows = std::vector<std::string>;

constexpr auto table_head =
    "| Timestamp | Action | Symbol | Signal ID | Position | Current Price | Open Price | Take "
    "Profit | Stop Loss | % to TP | % to SL | PNL (net) | Close Reason | Duration (min) |\n"
    "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n";

} // namespace

TEST_CASE("live report: empty") {
  const live_report report(live_identity(), {});
  CHECK(report.markdown(live_columns) == "# Live Trading Report: BTCUSDT:cross\n"
                                         "\n"
                                         "**Mode:** live · **Exchange:** csv\n"
                                         "\n"
                                         "No events yet.\n");
  const auto data = report.data();
  CHECK(data.event_list.empty());
  CHECK(data.total_events == 0);
  CHECK(data.total_closed == 0);
  CHECK(data.statistics.total_signals == 0);
  CHECK_FALSE(data.statistics.win_rate);
}

TEST_CASE("live report: a small run, word for word") {
  const auto run = live_identity();
  live_report report(run, {});
  const auto at = [](int minutes) { return t0 + minutes * minute_ms; };
  const signal_row dropped = signal_of(*run, "a", at(1));
  const signal_row taken = signal_of(*run, "b", at(30));
  report.apply(idle_tick(run, at(0)));
  report.apply(tick_of(run, tick_action::scheduled, at(1), dropped));
  report.apply(tick_of(run, tick_action::waiting, at(2), dropped));
  report.apply(cancelled_tick(run, at(21), dropped, cancel_reason::price_reject));
  report.apply(opened_tick(run, at(30), taken));
  auto active = tick_of(run, tick_action::active, at(31), taken);
  active.percent_tp = 12.345;
  report.apply(active);
  auto closed = closed_trade(run, {at(30), at(60), 1.5, {}, {}, 7});
  report.apply(closed);
  CHECK(report.markdown(live_columns) ==
        "# Live Trading Report: BTCUSDT:cross\n"
        "\n"
        "**Mode:** live · **Exchange:** csv\n"
        "\n" +
            std::string(table_head) +
            "| 2024-01-01T01:00:00Z | CLOSED | BTCUSDT | id7 | SHORT | 42500.00000000 USD | "
            "42000.50000000 USD | 43000.00000000 USD | 41000.00000000 USD | N/A | N/A | +1.50% | "
            "take_profit | 30.00 |\n"
            "| 2024-01-01T00:31:00Z | ACTIVE | BTCUSDT | b | LONG | 42500.00000000 USD | "
            "42000.50000000 USD | 43000.00000000 USD | 41000.00000000 USD | 12.35% | 0.00% | N/A | "
            "N/A | N/A |\n"
            "| 2024-01-01T00:30:00Z | OPENED | BTCUSDT | b | LONG | 42000.50000000 USD | "
            "42000.50000000 USD | 43000.00000000 USD | 41000.00000000 USD | N/A | N/A | N/A | N/A "
            "| N/A |\n"
            "| 2024-01-01T00:21:00Z | CANCELLED | BTCUSDT | a | LONG | 42500.00000000 USD | "
            "42000.50000000 USD | 43000.00000000 USD | 41000.00000000 USD | N/A | N/A | N/A | "
            "price_reject | 20.00 |\n"
            "| 2024-01-01T00:02:00Z | WAITING | BTCUSDT | a | LONG | 42500.00000000 USD | "
            "42000.50000000 USD | 43000.00000000 USD | 41000.00000000 USD | 0.00% | 0.00% | N/A | "
            "N/A | N/A |\n"
            "| 2024-01-01T00:01:00Z | SCHEDULED | BTCUSDT | a | LONG | 42500.00000000 USD | "
            "42000.50000000 USD | 43000.00000000 USD | 41000.00000000 USD | N/A | N/A | N/A | N/A "
            "| N/A |\n"
            "| 2024-01-01T00:00:00Z | IDLE | BTCUSDT | N/A | N/A | 42500.00000000 USD | N/A | N/A "
            "| N/A | N/A | N/A | N/A | N/A | N/A |\n"
            "\n"
            "**Total events:** 7  \n"
            "**Total signals:** 1  \n"
            "**Closed signals:** 1  \n"
            "**Win rate:** 100.00% (1W / 0L) (higher is better)  \n"
            "**Average PNL:** +1.50% (higher is better)  \n"
            "**Total PNL:** +1.50% (higher is better)  \n"
            "**Standard Deviation:** N/A (min_trades_ratio)  \n"
            "**Sharpe Ratio:** N/A (min_trades_ratio)  \n"
            "**Annualized Sharpe Ratio:** N/A (min_trades_ratio)  \n"
            "**Sortino Ratio:** N/A (min_trades_ratio)  \n"
            "**Certainty Ratio:** N/A (min_trades_ratio)  \n"
            "**Profit Factor:** N/A (no_losses)  \n"
            "**Expectancy:** N/A (min_trades_ratio)  \n"
            "**Expected Yearly Returns:** N/A (min_trades_annual)  \n"
            "**Max Drawdown:** 0.00% (closer to 0 is better)  \n"
            "**Calmar Ratio:** N/A (min_trades_annual)  \n"
            "**Recovery Factor:** N/A (min_trades_ratio)  \n"
            "**Median PNL:** +1.500%  \n"
            "**Avg Win:** +1.50%  \n"
            "**Avg Loss:** N/A (no_losses)  \n"
            "**Max Win Streak:** 1  \n"
            "**Max Loss Streak:** 0  \n"
            "**Avg Win Streak PNL:** +1.500%  \n"
            "**Avg Loss Streak PNL:** N/A (no_losses)  \n"
            "**Avg Duration:** 30.0 min  \n"
            "**Avg Win Duration:** 30.0 min  \n"
            "**Avg Loss Duration:** N/A (no_losses)  \n"
            "\n"
            "*Ratios need ≥ 10 trades; annualised figures need ≥ 10 trades and ≥ 14 days; all "
            "equity figures assume 100 % of capital in each trade.*\n");
}

TEST_CASE("live report: without a close every figure is absent") {
  const auto run = live_identity();
  live_report report(run, {});
  report.apply(idle_tick(run, t0));
  const std::string text = report.markdown(live_columns);
  CHECK(contains(text, "**Total events:** 1  \n**Total signals:** 0  \n"));
  CHECK(contains(text, "**Win rate:** N/A (no_trades)"));
  CHECK(contains(text, "**Total PNL:** N/A (no_trades)"));
  CHECK(contains(text, "**Max Drawdown:** N/A (no_trades)"));
}

TEST_CASE("live report: one row for a stretch of idle instants") {
  const auto run = live_identity();
  live_report report(run, {});
  const signal_row signal = signal_of(*run, "a", t0 + 2);
  report.apply(idle_tick(run, t0));
  report.apply(idle_tick(run, t0 + 1));
  report.apply(opened_tick(run, t0 + 2, signal));
  CHECK(rows_of(report) == rows{"opened a", "idle -"});
  CHECK(report.data().event_list.back().timestamp == t0 + 1);
  // The newest row is not idle: a new stretch, and the old row stays what it was.
  report.apply(idle_tick(run, t0 + 3));
  report.apply(idle_tick(run, t0 + 4));
  CHECK(rows_of(report) == rows{"idle -", "opened a", "idle -"});
  CHECK(report.data().event_list.front().timestamp == t0 + 4);
  CHECK(report.data().event_list.back().timestamp == t0 + 1);
  CHECK(report.data().total_events == 3);
}

TEST_CASE("live report: active and waiting signals keep one row each, in its place") {
  const auto run = live_identity();
  live_report report(run, {});
  const signal_row a = signal_of(*run, "a", t0), b = signal_of(*run, "b", t0);
  report.apply(tick_of(run, tick_action::waiting, t0, a));
  report.apply(tick_of(run, tick_action::active, t0 + 1, a));
  report.apply(tick_of(run, tick_action::active, t0 + 2, b));
  report.apply(tick_of(run, tick_action::waiting, t0 + 3, a));
  report.apply(tick_of(run, tick_action::active, t0 + 4, a));
  CHECK(rows_of(report) == rows{"active b", "active a", "waiting a"});
  const auto list = report.data().event_list;
  CHECK(list[0].timestamp == t0 + 2);
  CHECK(list[1].timestamp == t0 + 4);
  CHECK(list[2].timestamp == t0 + 3);
  CHECK(report.data().total_events == 3);
  // Everything else is a row of its own, also when it repeats.
  report.apply(tick_of(run, tick_action::scheduled, t0 + 5, a));
  report.apply(tick_of(run, tick_action::scheduled, t0 + 5, a));
  CHECK(report.data().total_events == 5);
}

TEST_CASE("live report: results that lack what they should carry") {
  const auto run = live_identity();
  live_report report(run, {});
  for (const auto action :
       {tick_action::scheduled, tick_action::waiting, tick_action::opened, tick_action::active,
        tick_action::active, tick_action::closed, tick_action::cancelled}) {
    tick_result bare;
    bare.action = action;
    report.apply(bare);
  }
  CHECK(report.data().total_events == 7);
  CHECK(report.data().statistics.excluded_count == 1);
  CHECK(contains(report.markdown(live_columns),
                 "| N/A | CANCELLED | N/A | N/A | N/A | 0.00000000 USD"));
}

TEST_CASE("live report: notes appear when asked for") {
  const auto run = live_identity();
  live_report report(run, {});
  report.apply(opened_tick(run, t0, signal_of(*run, "a", t0, "**breakout** a|b\nRSI < 30")));
  CHECK_FALSE(contains(report.markdown(live_columns), "Note"));
  CHECK(
      contains(report.markdown(default_live_columns(true)), "| LONG | breakout a\\|b RSI < 30 |"));
}

TEST_CASE("live report: hostile names break neither lines nor files") {
  const auto run = live_identity("BTC|USDT\n# pwned", "../näive\r\nname");
  live_report report(run, {});
  report.apply(opened_tick(run, t0, signal_of(*run, "i|d\n", t0)));
  const std::string text = report.markdown(live_columns);
  CHECK(text.starts_with("# Live Trading Report: BTC|USDT # pwned:../näive name\n\n**Mode:**"));
  CHECK(contains(text, "| OPENED | BTC\\|USDT # pwned | i\\|d  | LONG |"));
  CHECK(is_plain_name(report.file_name()));
  CHECK(report.file_name() != live_report(live_identity("BTC|USDT # pwned"), {}).file_name());
}

TEST_CASE("live report: rows and trades are bounded, totals are not") {
  configuration config;
  config.max_trade_sample = 1000;
  const auto run = live_identity();
  live_report report(run, config);
  const int total = 100'000;
  for (int i = 0; i < total; ++i) {
    const instant open = t0 + i * minute_ms;
    report.apply(closed_trade(run, {open,
                                    open + 30'000,
                                    i < total - 1000 ? -1.0 : 1.0,
                                    {},
                                    {},
                                    static_cast<std::uint64_t>(i)}));
    report.apply(idle_tick(run, open + 40'000));
    report.apply(idle_tick(run, open + 50'000));
  }
  const auto data = report.data();
  CHECK(data.event_list.size() == 250);
  CHECK(data.event_list[1].signal->id == "id99999");
  CHECK(data.total_events == 2 * total);
  CHECK(data.total_closed == total);
  CHECK(data.statistics.win_count == 1000);
  CHECK(data.statistics.loss_count == total - 1000);
  const std::string text = report.markdown(live_columns);
  CHECK(contains(text, "**Median PNL:** +1.000% (latest 1000 of 100000 trades)  \n"));
  CHECK(contains(text, "\n*The newest 250 of 200000 rows.*\n"));
}

TEST_CASE("live report: bounds give exposure, a new run starts from nothing") {
  const auto run = live_identity();
  live_report report(run, {});
  report.apply(closed_trade(run, trades_of({1})[0]));
  report.set_bounds({t0, t0 + 20 * 60 * minute_ms, 100.0, 110.0});
  CHECK(*report.statistics().exposure == doctest::Approx(50));
  CHECK(*report.statistics().buy_and_hold_return == doctest::Approx(10));
  report.clear();
  CHECK(report.data().total_events == 0);
  CHECK(report.data().total_closed == 0);
  CHECK_FALSE(report.statistics().exposure);
  CHECK(contains(report.markdown(live_columns), "No events yet."));
}

TEST_CASE(
    "live report: default live_columns are valid and keyed as documented, others replace them") {
  require_valid("live_columns", live_columns);
  CHECK(keys_of(live_columns) ==
        std::vector<std::string>{"timestamp", "action", "symbol", "signal_id", "position", "note",
                                 "current_price", "open_price", "take_profit", "stop_loss",
                                 "percent_tp", "percent_sl", "pnl", "close_reason", "duration"});
  const auto run = live_identity();
  live_report report(run, {});
  report.apply(idle_tick(run, t0));
  report.apply(opened_tick(run, t0, signal_of(*run, "a", t0)));
  const column_list<tick_result> own{
      {"row", "#", [](const tick_result&, std::size_t index) { return std::to_string(index); }},
      {"what", "What",
       [](const tick_result& row, std::size_t) { return std::string(to_string(row.action)); }}};
  CHECK(contains(report.markdown(own),
                 "\n\n| # | What |\n| --- | --- |\n| 0 | opened |\n| 1 | idle "
                 "|\n\n**Total events:** 2  \n"));
  CHECK(contains(report.markdown({}), "csv\n\n**Total events:** 2  \n"));
}

TEST_CASE("live report: written where it belongs") {
  const auto run = live_identity();
  live_report report(run, {});
  report.apply(idle_tick(run, t0));
  CHECK(is_written_as(report, "live/BTCUSDT_cross.md", live_columns));
}
