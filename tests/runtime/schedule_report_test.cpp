#include "runtime/schedule_report.hpp"

#include "tests/runtime/sample_ticks.hpp"

#include <algorithm>
#include <random>

#include <doctest/doctest.h>

using namespace backtest;
using namespace backtest::testing;

namespace {

const auto schedule_columns = default_schedule_columns(false);

instant at(int minutes) { return t0 + minutes * minute_ms; }

} // namespace

TEST_CASE("schedule report: empty") {
  const schedule_report report(identity(), {});
  CHECK(report.markdown(schedule_columns) ==
        "# Scheduled Signals Report: BTCUSDT:cross\n"
        "\n"
        "**Mode:** backtest · **Exchange:** csv · **Frame:** q1\n"
        "\n"
        "No scheduled signals yet.\n");
  const auto data = report.data();
  CHECK(data.event_list.empty());
  CHECK(data.statistics.total_events == 0);
  CHECK_FALSE(data.statistics.activation_rate);
  CHECK_FALSE(data.statistics.cancellation_rate);
  CHECK_FALSE(data.statistics.avg_activation_time);
  CHECK_FALSE(data.statistics.avg_wait_time);
}

TEST_CASE("schedule report: a small run, word for word") {
  const auto run = identity();
  schedule_report report(run, {});
  const signal_row a = signal_of(*run, "a", at(0)), b = signal_of(*run, "b", at(10));
  report.apply(tick_of(run, tick_action::scheduled, at(0), a));
  report.apply(opened_tick(run, at(5), a));
  report.apply(tick_of(run, tick_action::scheduled, at(10), b));
  report.apply(cancelled_tick(run, at(130), b));
  CHECK(report.markdown(schedule_columns) ==
        "# Scheduled Signals Report: BTCUSDT:cross\n"
        "\n"
        "**Mode:** backtest · **Exchange:** csv · **Frame:** q1\n"
        "\n"
        "| Timestamp | Action | Symbol | Signal ID | Position | Current Price | Entry Price | Take "
        "Profit | Stop Loss | Wait Time (min) | Cancel Reason |\n"
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n"
        "| 2024-01-01T02:10:00Z | CANCELLED | BTCUSDT | b | LONG | 42500.00000000 USD | "
        "42000.50000000 USD | 43000.00000000 USD | 41000.00000000 USD | 120.00 | timeout |\n"
        "| 2024-01-01T00:10:00Z | SCHEDULED | BTCUSDT | b | LONG | 42500.00000000 USD | "
        "42000.50000000 USD | 43000.00000000 USD | 41000.00000000 USD | N/A | N/A |\n"
        "| 2024-01-01T00:05:00Z | OPENED | BTCUSDT | a | LONG | 42000.50000000 USD | "
        "42000.50000000 USD | 43000.00000000 USD | 41000.00000000 USD | 5.00 | N/A |\n"
        "| 2024-01-01T00:00:00Z | SCHEDULED | BTCUSDT | a | LONG | 42500.00000000 USD | "
        "42000.50000000 USD | 43000.00000000 USD | 41000.00000000 USD | N/A | N/A |\n"
        "\n"
        "**Total events:** 4  \n"
        "**Scheduled signals:** 2  \n"
        "**Opened signals:** 1  \n"
        "**Cancelled signals:** 1  \n"
        "**Activation rate:** 50.00% (higher is better)  \n"
        "**Cancellation rate:** 50.00% (lower is better)  \n"
        "**Average activation time:** 5.00 min  \n"
        "**Average wait time (cancelled):** 120.00 min  \n");
}

TEST_CASE("schedule report: only scheduled signals and what became of them") {
  const auto run = identity();
  schedule_report report(run, {});
  const signal_row signal = signal_of(*run, "a", at(0));
  report.apply(idle_tick(run, at(0)));
  report.apply(tick_of(run, tick_action::waiting, at(1), signal));
  report.apply(tick_of(run, tick_action::active, at(1), signal));
  report.apply(opened_tick(run, at(0), signal)); // at once
  report.apply(closed_trade(run, trades_of({1})[0]));
  CHECK(report.statistics().total_events == 0);
  report.apply(opened_tick(run, at(1), signal));
  CHECK(report.statistics().total_events == 1);
}

TEST_CASE("schedule report: rates rest on matched ends alone") {
  const auto run = identity();
  schedule_report report(run, {});
  const auto schedule = [&](const char* id) {
    report.apply(tick_of(run, tick_action::scheduled, at(0), signal_of(*run, id, at(0))));
  };
  schedule("a");
  CHECK_FALSE(report.statistics().activation_rate); // unresolved
  CHECK(contains(report.markdown(schedule_columns), "**Activation rate:** N/A  \n"));
  CHECK(contains(report.markdown(schedule_columns), "**Average activation time:** N/A  \n"));
  schedule("b");
  schedule("c");
  report.apply(opened_tick(run, at(1), signal_of(*run, "a", at(0))));
  report.apply(
      opened_tick(run, at(3), signal_of(*run, "a", at(0)))); // told twice: counted, not matched
  report.apply(opened_tick(run, at(2), signal_of(*run, "stranger", at(0))));
  report.apply(cancelled_tick(run, at(30), signal_of(*run, "b", at(0)), cancel_reason::stopped));
  report.apply(cancelled_tick(run, at(60), signal_of(*run, "stranger", at(0))));
  report.apply(cancelled_tick(run, at(90), signal_of(*run, "c", at(0))));
  const auto figures = report.statistics();
  CHECK(figures.total_events == 9);
  CHECK(figures.total_scheduled == 3);
  CHECK(figures.total_opened == 3);
  CHECK(figures.total_cancelled == 3);
  CHECK(*figures.activation_rate == doctest::Approx(100.0 / 3));
  CHECK(*figures.activation_rate + *figures.cancellation_rate == doctest::Approx(100));
  CHECK(*figures.avg_activation_time == doctest::Approx(2));
  CHECK(*figures.avg_wait_time == doctest::Approx(60));
}

TEST_CASE("schedule report property: every figure equals a second, slow computation") {
  std::mt19937_64 random(13);
  for (int round = 0; round < 300; ++round) {
    const auto run = identity();
    schedule_report report(run, {});
    struct fate {
      bool is_announced, is_opened, is_cancelled;
      int waited;
    };
    std::vector<fate> fates(random() % 30);
    int minute = 0;
    for (std::size_t i = 0; i < fates.size(); ++i) {
      auto& fate = fates[i];
      fate = {random() % 5 > 0, random() % 2 == 0, false, 1 + static_cast<int>(random() % 90)};
      fate.is_cancelled = !fate.is_opened && random() % 4 > 0;
      const auto signal = signal_of(*run, fmt::format("s{}", i), at(minute));
      if (fate.is_announced)
        report.apply(tick_of(run, tick_action::scheduled, at(minute), signal));
      minute += fate.waited;
      if (fate.is_opened)
        report.apply(opened_tick(run, at(minute), signal));
      if (fate.is_cancelled)
        report.apply(cancelled_tick(run, at(minute), signal));
    }
    const auto count = [&](auto which) {
      return static_cast<double>(std::count_if(fates.begin(), fates.end(), which));
    };
    const auto mean_wait = [&](auto which) -> std::optional<double> {
      double total = 0;
      for (const auto& fate : fates)
        total += which(fate) ? fate.waited : 0;
      const double n = count(which);
      return n > 0 ? std::optional{total / n} : std::nullopt;
    };
    const auto opened = [](const fate& item) { return item.is_opened; };
    const auto cancelled = [](const fate& item) { return item.is_cancelled; };
    const double matched_opened =
        count([](const fate& item) { return item.is_opened && item.is_announced; });
    const double matched_cancelled =
        count([](const fate& item) { return item.is_cancelled && item.is_announced; });
    const double matched = matched_opened + matched_cancelled;
    const auto figures = report.statistics();
    const double announced = count([](const fate& item) { return item.is_announced; });
    CAPTURE(round);
    REQUIRE(static_cast<double>(figures.total_scheduled) == announced);
    REQUIRE(static_cast<double>(figures.total_opened) == count(opened));
    REQUIRE(static_cast<double>(figures.total_cancelled) == count(cancelled));
    REQUIRE(static_cast<double>(figures.total_events) ==
            announced + count(opened) + count(cancelled));
    REQUIRE(figures.activation_rate.has_value() == (matched > 0));
    if (matched > 0) {
      REQUIRE(*figures.activation_rate == doctest::Approx(100 * matched_opened / matched));
      REQUIRE(*figures.cancellation_rate == doctest::Approx(100 * matched_cancelled / matched));
    }
    const auto equal = [](std::optional<double> left, std::optional<double> right) {
      return left.has_value() == right.has_value() && (!left || *left == doctest::Approx(*right));
    };
    REQUIRE(equal(figures.avg_activation_time, mean_wait(opened)));
    REQUIRE(equal(figures.avg_wait_time, mean_wait(cancelled)));
  }
}

TEST_CASE("schedule report: results that lack what they should carry") {
  schedule_report report(identity(), {});
  for (const auto action : {tick_action::scheduled, tick_action::opened, tick_action::cancelled}) {
    tick_result bare;
    bare.action = action;
    report.apply(bare);
  }
  CHECK(report.statistics().total_events == 2);
  CHECK_FALSE(report.statistics().activation_rate);
  CHECK_FALSE(report.statistics().avg_wait_time);
  CHECK(contains(report.markdown(schedule_columns), "| N/A | CANCELLED | N/A | N/A | N/A |"));
}

TEST_CASE("schedule report: notes and hostile names") {
  const auto run = live_identity("BTC|USDT\n# pwned", "../näive\r\nname");
  schedule_report report(run, {});
  report.apply(tick_of(run, tick_action::scheduled, at(0), signal_of(*run, "a", at(0), "`x`|y")));
  const std::string text = report.markdown(default_schedule_columns(true));
  CHECK(text.starts_with(
      "# Scheduled Signals Report: BTC|USDT # pwned:../näive name\n\n**Mode:** live"));
  CHECK(contains(text, "| SCHEDULED | BTC\\|USDT # pwned | a | LONG | x\\|y |"));
  CHECK_FALSE(contains(report.markdown(schedule_columns), "Note"));
  CHECK(is_plain_name(report.file_name()));
}

TEST_CASE("schedule report: rows are bounded, counts are not") {
  const auto run = identity();
  configuration config;
  config.max_report_rows = 3;
  schedule_report report(run, config);
  const int total = 100'000;
  for (int i = 0; i < total; ++i) {
    const signal_row signal = signal_of(*run, std::to_string(i), at(i));
    report.apply(tick_of(run, tick_action::scheduled, at(i), signal));
    if (i % 4 == 0)
      report.apply(cancelled_tick(run, at(i + 2), signal));
    else
      report.apply(opened_tick(run, at(i + 1), signal));
  }
  const auto data = report.data();
  CHECK(data.event_list.size() == 3);
  CHECK(data.event_list.front().signal->id == "99999");
  CHECK(data.statistics.total_events == 2 * total);
  CHECK(data.statistics.total_scheduled == total);
  CHECK(*data.statistics.activation_rate == 75);
  CHECK(*data.statistics.cancellation_rate == 25);
  CHECK(*data.statistics.avg_activation_time == 1);
  CHECK(*data.statistics.avg_wait_time == 2);
}

TEST_CASE("schedule report: signals that never end are remembered up to a limit") {
  const auto run = identity();
  configuration config;
  config.max_trade_sample = 2;
  schedule_report report(run, config);
  for (const char* id : {"a", "b", "c"})
    report.apply(tick_of(run, tick_action::scheduled, at(0), signal_of(*run, id, at(0))));
  report.apply(opened_tick(run, at(1), signal_of(*run, "a", at(0))));
  CHECK(*report.statistics().activation_rate == 100);
  report.apply(cancelled_tick(run, at(1), signal_of(*run, "c", at(0))));
  CHECK(*report.statistics().activation_rate == 100);
  CHECK(report.statistics().total_cancelled == 1);
}

TEST_CASE("schedule report: a new run starts from nothing") {
  const auto run = identity();
  schedule_report report(run, {});
  const signal_row signal = signal_of(*run, "a", at(0));
  report.apply(tick_of(run, tick_action::scheduled, at(0), signal));
  report.clear();
  CHECK(report.statistics().total_events == 0);
  CHECK(report.statistics().total_scheduled == 0);
  CHECK(contains(report.markdown(schedule_columns), "No scheduled signals yet."));
  report.apply(opened_tick(run, at(1), signal));
  CHECK_FALSE(report.statistics().activation_rate); // what the old run scheduled is forgotten
}

TEST_CASE("schedule report: default schedule_columns are valid and keyed as documented") {
  require_valid("schedule_columns", schedule_columns);
  CHECK(keys_of(schedule_columns) ==
        std::vector<std::string>{"timestamp", "action", "symbol", "signal_id", "position", "note",
                                 "current_price", "price_open", "take_profit", "stop_loss",
                                 "duration", "cancel_reason"});
}

TEST_CASE("schedule report: written where it belongs, one file per mode") {
  const auto run = identity();
  schedule_report report(run, {});
  report.apply(tick_of(run, tick_action::scheduled, at(0), signal_of(*run, "a", at(0))));
  CHECK(is_written_as(report, "schedule/BTCUSDT_cross_backtest.md", schedule_columns));
  CHECK(schedule_report(live_identity(), {}).file_name() == "BTCUSDT_cross_live.md");
}
