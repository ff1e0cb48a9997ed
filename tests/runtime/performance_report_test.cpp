#include "runtime/performance_report.hpp"

#include "tests/runtime/sample_ticks.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

using namespace backtest;
using namespace backtest::testing;

namespace {

const auto performance_columns = default_performance_columns();

performance_event measured(const shared_identity& run, metric_type metric, double duration,
                           instant timestamp = t0, std::optional<instant> previous = {}) {
  return {run, metric, duration, timestamp, previous};
}

std::vector<metric_statistics> metrics_of(metric_type metric, const std::vector<double>& values) {
  std::vector<performance_event> events;
  for (const double value : values)
    events.push_back(measured(identity(), metric, value));
  return metric_statistics_of(events);
}

} // namespace

TEST_CASE("performance report: empty") {
  const performance_report report(identity(), {});
  CHECK(report.markdown(performance_columns) ==
        "# Performance Report: BTCUSDT:cross\n"
        "\n"
        "**Mode:** backtest · **Exchange:** csv · **Frame:** q1\n"
        "\n"
        "No performance data yet.\n");
  const auto data = report.data();
  CHECK(data.strategy_name == "cross");
  CHECK(data.total_events == 0);
  CHECK(data.total_duration == 0);
  CHECK(data.metric_stats.empty());
  CHECK(data.events.empty());
}

TEST_CASE("performance report: a small run, word for word") {
  const auto run = identity();
  performance_report report(run, {});
  report.apply(measured(run, metric_type::backtest_timeframe, 1, t0));
  report.apply(measured(run, metric_type::backtest_timeframe, 2, t0 + 10, t0));
  report.apply(measured(run, metric_type::backtest_timeframe, 3, t0 + 30, t0 + 10));
  report.apply(measured(run, metric_type::backtest_signal, 0.5, t0 + 31));
  report.apply(measured(run, metric_type::backtest_total, 8, t0 + 40));
  CHECK(report.markdown(performance_columns) ==
        "# Performance Report: BTCUSDT:cross\n"
        "\n"
        "**Mode:** backtest · **Exchange:** csv · **Frame:** q1\n"
        "\n"
        "**Total events:** 5  \n"
        "**Total execution time:** 8.00ms  \n"
        "**Number of metric types:** 3  \n"
        "\n"
        "## Time Distribution\n"
        "\n"
        "- **backtest_total**: 100.0% (8.00ms total)\n"
        "- **backtest_timeframe**: 75.0% (6.00ms total)\n"
        "- **backtest_signal**: 6.2% (0.50ms total)\n"
        "\n"
        "## Detailed Metrics\n"
        "\n"
        "| Metric Type | Count | Total (ms) | Avg (ms) | Min (ms) | Max (ms) | Std Dev (ms) | "
        "Median (ms) | P95 (ms) | P99 (ms) | Avg Wait (ms) | Min Wait (ms) | Max Wait (ms) |\n"
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n"
        "| backtest_total | 1 | 8.00 | 8.00 | 8.00 | 8.00 | 0.00 | 8.00 | 8.00 | 8.00 | N/A | N/A "
        "| N/A |\n"
        "| backtest_timeframe | 3 | 6.00 | 2.00 | 1.00 | 3.00 | 1.00 | 2.00 | 2.90 | 2.98 | 15.00 "
        "| 10.00 | 20.00 |\n"
        "| backtest_signal | 1 | 0.50 | 0.50 | 0.50 | 0.50 | 0.00 | 0.50 | 0.50 | 0.50 | N/A | N/A "
        "| N/A |\n"
        "\n"
        "*All times are milliseconds. Shares are of the total execution time; work nested in "
        "other work is part of it, so shares do not add up to 100 %.*\n");
  CHECK(report.data().events.front().metric == metric_type::backtest_total);
}

TEST_CASE("performance report: percentiles interpolate, deviation is of the sample") {
  const auto figures =
      metrics_of(metric_type::live_tick, {100, 30, 20, 10, 50, 40, 60, 70, 90, 80})[0];
  CHECK(figures.count == 10);
  CHECK(figures.total_duration == 550);
  CHECK(figures.avg_duration == 55);
  CHECK(figures.min_duration == 10);
  CHECK(figures.max_duration == 100);
  CHECK(figures.median == doctest::Approx(55).epsilon(1e-9));
  CHECK(figures.p95 == doctest::Approx(95.5).epsilon(1e-9));
  CHECK(figures.p99 == doctest::Approx(99.1).epsilon(1e-9));
  CHECK(figures.std_dev == doctest::Approx(30.276503540974915).epsilon(1e-9));
  const auto one = metrics_of(metric_type::live_tick, {7})[0];
  CHECK(one.std_dev == 0);
  CHECK(one.median == 7);
  CHECK(one.p99 == 7);
}

TEST_CASE("performance report property: every figure equals a second, slow computation") {
  std::mt19937_64 random(12);
  for (int round = 0; round < 500; ++round) {
    std::vector<performance_event> events(1 + random() % 60);
    std::vector<double> sorted;
    std::vector<double> waits;
    for (auto& item : events) {
      item = measured(identity(), metric_type::live_tick, static_cast<double>(random() % 1000) / 7,
                      t0 + static_cast<instant>(random() % 5000));
      if (random() % 3 > 0)
        item.previous_timestamp = t0 + static_cast<instant>(random() % 5000);
      sorted.insert(std::upper_bound(sorted.begin(), sorted.end(), item.duration), item.duration);
      if (item.previous_timestamp && item.timestamp >= *item.previous_timestamp)
        waits.push_back(static_cast<double>(item.timestamp - *item.previous_timestamp));
    }
    const auto figures = metric_statistics_of(events)[0];
    const auto n = static_cast<double>(sorted.size());
    double total = 0, squares = 0, waited = 0;
    for (const double value : sorted)
      total += value;
    for (const double value : sorted)
      squares += (value - total / n) * (value - total / n);
    for (const double wait : waits)
      waited += wait;
    const auto at_rank = [&](double percent) {
      const double rank = percent / 100 * (n - 1);
      const auto low = static_cast<std::size_t>(rank);
      const auto high = std::min(low + 1, sorted.size() - 1);
      return sorted[low] + (sorted[high] - sorted[low]) * (rank - static_cast<double>(low));
    };
    CAPTURE(round);
    REQUIRE(figures.count == std::ssize(sorted));
    REQUIRE(figures.total_duration == doctest::Approx(total));
    REQUIRE(figures.avg_duration == doctest::Approx(total / n));
    REQUIRE(figures.min_duration == sorted.front());
    REQUIRE(figures.max_duration == sorted.back());
    REQUIRE(figures.std_dev == doctest::Approx(n > 1 ? std::sqrt(squares / (n - 1)) : 0));
    REQUIRE(figures.median == doctest::Approx(at_rank(50)));
    REQUIRE(figures.p95 == doctest::Approx(at_rank(95)));
    REQUIRE(figures.p99 == doctest::Approx(at_rank(99)));
    REQUIRE(figures.avg_wait_time.has_value() == !waits.empty());
    if (waits.empty())
      continue;
    REQUIRE(*figures.avg_wait_time == doctest::Approx(waited / static_cast<double>(waits.size())));
    REQUIRE(*figures.min_wait_time == *std::min_element(waits.begin(), waits.end()));
    REQUIRE(*figures.max_wait_time == *std::max_element(waits.begin(), waits.end()));
  }
}

TEST_CASE("performance report: waits are those of the metric, never negative") {
  const auto run = live_identity();
  const auto figures = metric_statistics_of({
      measured(run, metric_type::live_tick, 1, 100),
      measured(run, metric_type::live_tick, 1, 160, 100),
      measured(run, metric_type::live_tick, 1, 50, 160), // the clock was set back
      measured(run, metric_type::live_tick, 1, 50, 50),
  })[0];
  CHECK(*figures.avg_wait_time == 30);
  CHECK(*figures.min_wait_time == 0);
  CHECK(*figures.max_wait_time == 60);
  CHECK_FALSE(metrics_of(metric_type::live_tick, {1})[0].avg_wait_time);
}

TEST_CASE("performance report: time is counted once, at the root") {
  const auto run = identity();
  performance_report report(run, {});
  report.apply(measured(run, metric_type::backtest_signal, 5));
  CHECK(report.data().total_duration == 0);
  CHECK(contains(report.markdown(performance_columns),
                 "- **backtest_signal**: 0.0% (5.00ms total)\n"));
  report.apply(measured(run, metric_type::backtest_timeframe, 20));
  CHECK(report.data().total_duration == 20); // the run is not over yet
  report.apply(measured(run, metric_type::backtest_total, 40));
  CHECK(report.data().total_duration == 40);
  CHECK(contains(report.markdown(performance_columns),
                 "- **backtest_timeframe**: 50.0% (20.00ms total)\n"));
  CHECK(root_duration(metrics_of(metric_type::live_tick, {1, 2})) == 3);
}

TEST_CASE("performance report: metrics of equal duration go by name") {
  const auto run = identity();
  const auto metrics = metric_statistics_of({measured(run, metric_type::backtest_total, 1),
                                             measured(run, metric_type::backtest_timeframe, 1),
                                             measured(run, metric_type::backtest_signal, 1)});
  CHECK(to_string(metrics[0].metric) == "backtest_signal");
  CHECK(to_string(metrics[1].metric) == "backtest_timeframe");
  CHECK(to_string(metrics[2].metric) == "backtest_total");
}

TEST_CASE("performance report: durations that are no numbers are ignored") {
  performance_report report(identity(), {});
  report.apply(measured(nullptr, metric_type::live_tick, __builtin_nan("")));
  report.apply(measured(nullptr, metric_type::live_tick, std::numeric_limits<double>::infinity()));
  CHECK(report.data().total_events == 0);
  report.apply(measured(nullptr, metric_type::live_tick, 1));
  CHECK(report.data().total_events == 1);
}

TEST_CASE("performance report: names that are missing, and hostile ones") {
  const auto nameless = identity("", "");
  performance_report report(nameless, {});
  report.apply(measured(nameless, metric_type::backtest_total, 1));
  CHECK(report.markdown(performance_columns).starts_with("# Performance Report: global:global\n"));
  CHECK(report.file_name() == "global_global_backtest.md");
  const auto run = identity("BTC|USDT\n# pwned", "../näive\r\nname");
  const performance_report hostile(run, {});
  CHECK(hostile.markdown(performance_columns)
            .starts_with("# Performance Report: BTC|USDT # pwned:../näive name\n\n"));
  CHECK(is_plain_name(hostile.file_name()));
}

TEST_CASE("performance report: the newest events are held") {
  const auto run = identity();
  performance_report report(run, {});
  for (int i = 0; i < 100'000; ++i)
    report.apply(measured(run, metric_type::live_tick, i));
  const auto data = report.data();
  CHECK(data.events.size() == 10'000);
  CHECK(data.events.front().duration == 99'999);
  CHECK(data.total_events == 100'000);
  CHECK(data.metric_stats[0].count == 10'000);
  CHECK(data.metric_stats[0].min_duration == 90'000);
  CHECK(contains(report.markdown(performance_columns), "**Total events:** 100000  \n"));
  CHECK(contains(report.markdown(performance_columns),
                 "\nStatistics cover the latest 10000 events\n"));
  report.clear();
  CHECK(report.data().total_events == 0);
  CHECK(contains(report.markdown(performance_columns), "No performance data yet."));
}

TEST_CASE("performance report: default performance_columns, own performance_columns, file") {
  require_valid("performance_columns", performance_columns);
  CHECK(keys_of(performance_columns) ==
        std::vector<std::string>{"metric_type", "count", "total_duration", "avg_duration",
                                 "min_duration", "max_duration", "std_dev", "median", "p95", "p99",
                                 "avg_wait_time", "min_wait_time", "max_wait_time"});
  const auto run = identity();
  performance_report report(run, {});
  report.apply(measured(run, metric_type::backtest_total, 1));
  const column_list<metric_statistics> own{
      {"n", "N", [](const auto& row, std::size_t) { return std::to_string(row.count); }}};
  CHECK(contains(report.markdown(own), "## Detailed Metrics\n\n| N |\n| --- |\n| 1 |\n\n*All"));
  CHECK(is_written_as(report, "performance/BTCUSDT_cross_backtest.md", performance_columns));
  CHECK(performance_report(live_identity(), {}).file_name() == "BTCUSDT_cross_live.md");
}
