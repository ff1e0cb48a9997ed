#include "tools/saved_walks.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace backtest::tools {

namespace {

/// What the events tell about one symbol.
struct told_walk {
  walker_schema walker;
  std::vector<walker_event> results;
  std::int64_t failed = 0;
  bool stopped = false;
};

using strategy_on_symbol = std::pair<std::string, std::string>;

/// Closed signals of each strategy on each symbol, newest first.
std::map<strategy_on_symbol, std::vector<tick_result>>
closed_signals_of(const std::vector<event>& events) {
  std::map<strategy_on_symbol, std::vector<tick_result>> closed;
  for (const auto& item : events)
    if (const auto* tick = std::get_if<tick_result>(&item.payload);
        tick != nullptr && tick->action == tick_action::closed && item.on != topic::signal)
      closed[{tick->run->strategy_name, tick->run->symbol}].push_back(*tick);
  for (auto& [names, signals] : closed)
    std::reverse(signals.begin(), signals.end());
  return closed;
}

class walk_collector {
public:
  explicit walk_collector(const recorded_run& run) : run_(run) {}

  void hear(const walker_event& item) {
    of_symbol(*item.run, item.walker_name, item.metric).results.push_back(item);
  }
  void hear(const walker_complete& item) {
    auto& ended = of_symbol(*item.run, item.run->strategy_name, item.metric);
    ended.failed = item.strategies_failed;
    ended.stopped = item.stopped;
  }

  std::vector<std::pair<std::string, told_walk>> take() { return std::move(walks_); }

private:
  told_walk& of_symbol(const run_identity& names, const std::string& walker,
                       const std::string& metric) {
    for (auto& [symbol, known] : walks_)
      if (symbol == names.symbol)
        return known;
    walker_schema schema;
    schema.walker_name = walker;
    schema.exchange_name = names.exchange_name;
    schema.frame_name = names.frame_name;
    schema.strategies = run_.strategies;
    schema.metric = metric;
    return walks_.emplace_back(names.symbol, told_walk{std::move(schema), {}, 0, false}).second;
  }

  const recorded_run& run_;
  std::vector<std::pair<std::string, told_walk>> walks_;
};

} // namespace

std::vector<walker_report> saved_walks(const recorded_run& run, const configuration& parameters,
                                       const std::vector<event>& events) {
  walk_collector collector{run};
  for (const auto& item : events) {
    if (const auto* result = std::get_if<walker_event>(&item.payload))
      collector.hear(*result);
    else if (const auto* ended = std::get_if<walker_complete>(&item.payload))
      collector.hear(*ended);
  }
  const auto walks = collector.take();
  if (walks.empty())
    return {};
  auto closed = closed_signals_of(events);
  std::vector<walker_report> reports;
  for (const auto& [symbol, told] : walks) {
    auto& report = reports.emplace_back(told.walker, symbol, parameters);
    if (told.stopped)
      report.stop();
    auto failed = told.failed;
    for (const auto& strategy : told.walker.strategies) {
      const auto result =
          std::find_if(told.results.begin(), told.results.end(),
                       [&](const auto& item) { return item.run->strategy_name == strategy; });
      if (result != told.results.end())
        report.add(strategy, {*result->statistics, std::move(closed[{strategy, symbol}])},
                   result->partial);
      else if (failed-- > 0) // what was never begun comes behind them
        report.add_failure(strategy);
    }
  }
  return reports;
}

} // namespace backtest::tools
