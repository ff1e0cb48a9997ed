#include "runtime/performance_report.hpp"

#include "runtime/number_text.hpp"
#include "runtime/report_directory.hpp"
#include "runtime/statistics.hpp"
#include "runtime/text_file.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include <fmt/format.h>

namespace backtest {

namespace {

struct metric_samples {
  std::vector<double> durations;
  std::vector<double> waits;
};

double sum_of(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values)
    sum += value;
  return sum;
}

metric_statistics statistics_of(metric_type metric, metric_samples samples) {
  auto& durations = samples.durations;
  auto& waits = samples.waits;
  std::sort(durations.begin(), durations.end());
  std::sort(waits.begin(), waits.end());
  metric_statistics result;
  result.metric = metric;
  result.count = std::ssize(durations);
  result.total_duration = sum_of(durations);
  result.avg_duration = mean_of(durations);
  result.min_duration = durations.front();
  result.max_duration = durations.back();
  result.std_dev = durations.size() > 1 ? sample_deviation(durations) : 0;
  result.median = percentile(durations, 50);
  result.p95 = percentile(durations, 95);
  result.p99 = percentile(durations, 99);
  if (!waits.empty()) {
    result.avg_wait_time = mean_of(waits);
    result.min_wait_time = waits.front();
    result.max_wait_time = waits.back();
  }
  return result;
}

double duration_of(const std::vector<metric_statistics>& metrics, metric_type metric) {
  const auto found = std::find_if(metrics.begin(), metrics.end(),
                                  [&](const auto& entry) { return entry.metric == metric; });
  return found == metrics.end() ? 0 : found->total_duration;
}

bool has(const std::vector<metric_statistics>& metrics, metric_type metric) {
  return std::any_of(metrics.begin(), metrics.end(),
                     [&](const auto& entry) { return entry.metric == metric; });
}

std::string milliseconds(double value) { return with_unit(fixed_text(value, 2), "ms"); }

std::string time_distribution(const std::vector<metric_statistics>& metrics, double total) {
  std::string list;
  for (const auto& entry : metrics)
    list += fmt::format("- **{}**: {} ({} total)\n", to_string(entry.metric),
                        percent_text(total > 0 ? 100 * entry.total_duration / total : 0, 1),
                        milliseconds(entry.total_duration));
  return list;
}

/// A name an event may lack, as reports of no run in particular print it.
shared_identity with_names(const shared_identity& run) {
  if (!run->symbol.empty() && !run->strategy_name.empty())
    return run;
  run_identity named = *run;
  for (std::string* name : {&named.symbol, &named.strategy_name})
    if (name->empty())
      *name = "global";
  return std::make_shared<const run_identity>(std::move(named));
}

} // namespace

std::vector<metric_statistics> metric_statistics_of(const std::vector<performance_event>& events) {
  std::map<metric_type, metric_samples> samples;
  for (const auto& item : events) {
    auto& of_metric = samples[item.metric];
    of_metric.durations.push_back(item.duration);
    // The wall clock may have been set back in between.
    if (item.previous_timestamp && *item.previous_timestamp <= item.timestamp)
      of_metric.waits.push_back(static_cast<double>(item.timestamp - *item.previous_timestamp));
  }
  std::vector<metric_statistics> metrics;
  for (auto& [metric, of_metric] : samples)
    metrics.push_back(statistics_of(metric, std::move(of_metric)));
  std::sort(metrics.begin(), metrics.end(), [](const auto& left, const auto& right) {
    return std::tuple(-left.total_duration, to_string(left.metric)) <
           std::tuple(-right.total_duration, to_string(right.metric));
  });
  return metrics;
}

double root_duration(const std::vector<metric_statistics>& metrics) {
  const double instants = has(metrics, metric_type::backtest_total)
                              ? duration_of(metrics, metric_type::backtest_total)
                              : duration_of(metrics, metric_type::backtest_timeframe);
  return instants + duration_of(metrics, metric_type::live_tick);
}

column_list<metric_statistics> default_performance_columns() {
  using entry = metric_statistics;
  const auto duration = [](double entry::*member) {
    return [member](const entry& row, std::size_t) { return fixed_text(row.*member, 2); };
  };
  const auto wait = [](std::optional<double> entry::*member) {
    return [member](const entry& row, std::size_t) { return fixed_text(row.*member, 2); };
  };
  return {
      {"metric_type", "Metric Type",
       [](const entry& row, std::size_t) { return std::string(to_string(row.metric)); }},
      {"count", "Count",
       [](const entry& row, std::size_t) { return fmt::format("{}", row.count); }},
      {"total_duration", "Total (ms)", duration(&entry::total_duration)},
      {"avg_duration", "Avg (ms)", duration(&entry::avg_duration)},
      {"min_duration", "Min (ms)", duration(&entry::min_duration)},
      {"max_duration", "Max (ms)", duration(&entry::max_duration)},
      {"std_dev", "Std Dev (ms)", duration(&entry::std_dev)},
      {"median", "Median (ms)", duration(&entry::median)},
      {"p95", "P95 (ms)", duration(&entry::p95)},
      {"p99", "P99 (ms)", duration(&entry::p99)},
      {"avg_wait_time", "Avg Wait (ms)", wait(&entry::avg_wait_time)},
      {"min_wait_time", "Min Wait (ms)", wait(&entry::min_wait_time)},
      {"max_wait_time", "Max Wait (ms)", wait(&entry::max_wait_time)},
  };
}

performance_report::performance_report(const shared_identity& run, const configuration& config)
    : rows_(with_names(run), config.max_performance_events) {}

void performance_report::apply(performance_event measured) {
  if (!std::isfinite(measured.duration))
    return;
  if (measured.run)
    measured.run = with_names(measured.run);
  rows_.add(std::move(measured));
}

performance_report_data performance_report::data() const {
  performance_report_data data;
  data.strategy_name = run().strategy_name;
  data.total_events = rows_.total();
  data.events = rows_.list();
  data.metric_stats = metric_statistics_of(data.events);
  data.total_duration = root_duration(data.metric_stats);
  return data;
}

std::string performance_report::markdown(const column_list<metric_statistics>& columns) const {
  const std::string title = report_title("Performance Report", run());
  const performance_report_data figures = data();
  if (figures.events.empty())
    return join_blocks({title, "No performance data yet.\n"});
  std::string note =
      "*All times are milliseconds. Shares are of the total execution time; work nested in other "
      "work is part of it, so shares do not add up to 100 %.*\n";
  if (const auto held = std::ssize(figures.events); held < figures.total_events)
    note += fmt::format("\nStatistics cover the latest {} events\n", held);
  return join_blocks(
      {title,
       counted_line("Total events", figures.total_events) +
           labelled_line("Total execution time", milliseconds(figures.total_duration)) +
           counted_line("Number of metric types", std::ssize(figures.metric_stats)),
       "## Time Distribution\n", time_distribution(figures.metric_stats, figures.total_duration),
       "## Detailed Metrics\n", markdown_table(columns, figures.metric_stats), note});
}

std::string performance_report::file_name() const { return run_file_name(run()); }

std::filesystem::path
performance_report::dump(const std::filesystem::path& directory,
                         const column_list<metric_statistics>& columns) const {
  return write_text_file(directory / report_folder::performance, file_name(), markdown(columns));
}

} // namespace backtest
