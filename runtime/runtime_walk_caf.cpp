#include "messages/thread_name.hpp"
#include "runtime/report_book.hpp"
#include "runtime/runtime_core.hpp"
#include "runtime/walk.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace backtest {

std::shared_ptr<const walker_schema> runtime_core::check_walker(const std::string& symbol,
                                                                const std::string& walker,
                                                                std::string_view source) const {
  auto schema = schemas.walkers.get(walker, source);
  const auto named_by = "walker " + walker;
  check_names({symbol}, schema->strategies, schema->exchange_name, source, named_by);
  schemas.frames.get(schema->frame_name, source, named_by);
  return schema;
}

std::shared_ptr<walk> runtime_core::start_walk(const std::string& symbol, const std::string& walker,
                                               bool is_background, std::string_view source) {
  walk_setup setup;
  setup.schema = check_walker(symbol, walker, source);
  setup.is_background = is_background;
  setup.callers = callers;
  setup.identity = std::make_shared<const run_identity>(
      run_identity{symbol, walker, setup.schema->exchange_name, setup.schema->frame_name,
                   run_mode::backtest});
  reap_walks();
  const calling_thread visit{system};
  std::shared_ptr<walk> begun;
  const auto& strategies = setup.schema->strategies;
  {
    const std::lock_guard lock{mutex};
    if (is_ending_)
      throw failure(error_code::invalid_argument,
                    fmt::format("{}: the runtime is being destroyed", source));
    if (!enabled_reports_.has(report_kind::backtest))
      throw failure(error_code::invalid_argument,
                    fmt::format("{}: walkers need backtest reports, which are not enabled in this "
                                "runtime",
                                source));
    take_names(*setup.identity, strategies);
    setup.parameters = parameters;
    // Whoever consumes a stream decides when the next strategy begins.
    setup.at_once = is_background ? scheduler_threads(system) : 1;
    for (const auto& strategy : strategies) {
      auto run = *setup.identity;
      run.strategy_name = strategy;
      setup.backtests.push_back(capture({std::make_shared<const run_identity>(std::move(run))}));
      setup.backtests.back()->is_walked = true;
      setup.backtests.back()->alarm = setup.alarm;
    }
    setup.record = std::make_shared<portfolio_record>(
        ++last_number_, std::vector{setup.identity}, setup.backtests.front()->wall_clock());
    begun = std::make_shared<walk>(*this, setup);
    walks_[{symbol, walker}] = begun;
    // What they told in earlier runs is gone before the first of them starts.
    for (const auto& backtest : setup.backtests)
      send_anonymously(reports, clear_report{backtest->runs.front().identity});
    if (is_background)
      walk_threads_.push_back({begun, std::thread{[this, begun] {
                                 name_this_thread("backtest.walk");
                                 walk_to_end(*begun);
                               }}});
    else
      walk_streams_.push_back(begun);
  }
  write_log(log_level::info, source,
            fmt::format("walker {} starts on {}: {} strategies", walker, symbol,
                        strategies.size()));
  return begun;
}

void runtime_core::walk_to_end(walk& begun) const {
  try {
    while (begun.advance())
      ;
  } catch (const failure& problem) { // it was announced on the topic `exit`
    write_log(log_level::error, "walker", problem.what());
  }
}

void runtime_core::take_names(const run_identity& walker,
                              const std::vector<std::string>& strategies) {
  const std::pair key{walker.symbol, walker.strategy_name};
  if (taken_walkers_.count(key) > 0)
    throw failure(error_code::already_running,
                  fmt::format("walker {} on {} is already running in this runtime",
                              walker.strategy_name, walker.symbol));
  for (const auto& strategy : strategies)
    if (taken_.count({walker.symbol, strategy, run_mode::backtest}) > 0)
      throw failure(error_code::already_running,
                    fmt::format("walker {}: strategy {} on {} is already running in this runtime",
                                walker.strategy_name, strategy, walker.symbol));
  taken_walkers_.insert(key);
  for (const auto& strategy : strategies)
    taken_.insert({walker.symbol, strategy, run_mode::backtest});
}

void runtime_core::release(const run_identity& walker, const std::vector<std::string>& strategies) {
  const std::lock_guard lock{mutex};
  taken_walkers_.erase({walker.symbol, walker.strategy_name});
  for (const auto& strategy : strategies)
    taken_.erase({walker.symbol, strategy, run_mode::backtest});
}

std::optional<started_run>
runtime_core::start_walked(const std::shared_ptr<portfolio_setup>& setup,
                           const std::function<void(const started_run&)>& before_start) {
  const calling_thread visit{system};
  started_run started;
  portfolio_actor driver;
  {
    const std::lock_guard lock{mutex};
    if (is_ending_)
      return std::nullopt;
    started = launch(setup, false, driver);
  }
  started.take_turn = [this, started, identity = setup->runs.front().identity,
                       weak = weak_handle<portfolio_actor>{driver}] {
    const calling_thread inner{system};
    {
      const std::lock_guard lock{mutex};
      list_run(started, {identity});
      if (auto strong = weak.lock())
        note_driver({identity}, strong);
    }
    if (auto strong = weak.lock())
      send_anonymously(strong, tell_portfolio{});
  };
  before_start(started);
  send_anonymously(driver, start_portfolio{});
  return started;
}

void runtime_core::tell(event item) const {
  const calling_thread visit{system};
  send_anonymously(topics, publish{{std::move(item)}});
}

std::shared_ptr<walk> runtime_core::find_walk(const std::string& symbol,
                                              const std::string& walker) const {
  const std::lock_guard lock{mutex};
  const auto found = walks_.find({symbol, walker});
  return found == walks_.end() ? nullptr : found->second;
}

std::vector<run_status> runtime_core::walker_statuses() const {
  std::vector<run_status> all;
  {
    const std::lock_guard lock{mutex};
    for (const auto& [key, known] : walks_)
      all.push_back(known->record().statuses().front());
  }
  std::stable_sort(all.begin(), all.end(), [](const auto& left, const auto& right) {
    return std::tie(left.started_at, left.id) < std::tie(right.started_at, right.id);
  });
  return all;
}

void runtime_core::reap_walks() {
  std::vector<walk_thread> over;
  {
    const std::lock_guard lock{mutex};
    std::erase_if(walk_streams_, [](const auto& item) { return item.expired(); });
    std::erase_if(walk_threads_, [&](auto& item) {
      if (!item.walked->record().finished())
        return false;
      over.push_back(std::move(item));
      return true;
    });
  }
  for (auto& item : over)
    item.thread.join();
}

void runtime_core::end_walks() {
  std::vector<walk_thread> threads;
  std::vector<std::shared_ptr<walk>> streams;
  {
    const std::lock_guard lock{mutex};
    threads.swap(walk_threads_);
    for (const auto& item : walk_streams_)
      if (auto stream = item.lock())
        streams.push_back(std::move(stream));
  }
  for (const auto& item : streams)
    item->leave();
  for (auto& item : threads) {
    item.thread.join();
    item.walked->leave();
  }
}

} // namespace backtest
