#include "tools/benchmarks/memory.hpp"

#include "actors/exchange/candle_writer.hpp"
#include "actors/exchange/csv_source.hpp"
#include "runtime/runtime_core.hpp"
#include "tools/benchmarks/engine_runs.hpp"
#include "tools/benchmarks/processes.hpp"
#include "tools/benchmarks/repetitions.hpp"

#include <filesystem>
#include <iostream>

#include <unistd.h>

#include <fmt/format.h>

namespace backtest::benchmarks {

namespace {

std::int64_t resident_with(std::size_t idle_strategies) {
  std::int64_t kib = 0;
  run_again(fmt::format("--idle-strategies={}", idle_strategies)) >> kib;
  return kib;
}

runtime_options one_thread() {
  runtime_options options;
  options.threads = 1;
  return options;
}

} // namespace

void hold_idle_strategies(std::size_t count) {
  runtime target{one_thread()};
  strategy_schema strategy;
  strategy.strategy_name = "sma_cross";
  strategy.size = interval::m15;
  strategy.get_signal = contender_named("sma_cross").engine_source;
  target.add_strategy(std::move(strategy));
  {
    const auto supervisor = runtime_internals::clients(target).strategies;
    caf::scoped_actor self{target.system()};
    for (int round = 0; round < 2; ++round) // spawned, then touched once more
      for (std::size_t i = 0; i < count; ++i)
        request(self, supervisor, caf::infinite,
                resolve<strategy_key>{
                    {fmt::format("SYM{:03}USDT", i), "sma_cross", run_mode::backtest}})
            .receive([](const resolved<strategy_actor>&) {},
                     [](const caf::error& reason) {
                       throw failure(error_code::actor_failed, text_of(reason));
                     });
  }
  fmt::print("{}\n", status_kib("VmRSS"));
}

void hold_candles(const std::string& file) {
  runtime target{one_thread()};
  exchange_schema exchange;
  exchange.exchange_name = "csv";
  exchange.source = std::make_shared<csv_source>(
      std::map<std::string, candle_paths>{{"SYM00USDT", {file}}});
  target.add_exchange(std::move(exchange));
  caf::scoped_actor self{target.system()};
  exchange_actor client;
  const auto fail = [](const caf::error& reason) {
    throw failure(error_code::actor_failed, text_of(reason));
  };
  request(self, runtime_internals::clients(target).exchanges, caf::infinite,
          resolve<exchange_key>{{"csv", run_mode::backtest}})
      .receive([&](const resolved<exchange_actor>& found) { client = found.client; }, fail);
  const auto before = status_kib("VmRSS");
  loaded_series loaded;
  request(self, client, caf::infinite,
          load_candles{"SYM00USDT", interval::m1, 0, end_of_time / 2})
      .receive(
          [&](const candles_loaded& answer) {
            if (answer.problem)
              throw failure(*answer.problem);
            loaded = answer.loaded;
          },
          fail);
  fmt::print("{} {} {} {}\n", loaded.series->candles.size(), before, status_kib("VmRSS"),
             status_kib("VmHWM"));
}

void print_idle_strategy_size() {
  constexpr std::size_t more = 500;
  std::vector<double> sizes;
  for (int i = 0; i < 5; ++i)
    sizes.push_back(static_cast<double>(resident_with(more + 1) - resident_with(1)) / more);
  print_ratio("idle strategy client, KiB", "501 clients against 1, resident", median(sizes),
              bound::at_most, 8);
}

void print_candle_size() {
  const auto market = make_market(1, 731);
  const auto path = std::filesystem::temp_directory_path() /
                    fmt::format("backtest-benchmark-{}.csv", ::getpid());
  write_candle_csv(*market.minutes.front(), path);
  auto answer = run_again(fmt::format("--load-candles='{}'", path.string()));
  std::filesystem::remove(path);
  double candles = 0, before = 0, after = 0, peak = 0;
  answer >> candles >> before >> after >> peak;
  const auto figures = fmt::format("{:.0f} candles of a CSV file", candles);
  print_ratio("bytes per candle, loaded", figures, (after - before) * 1024 / candles,
              bound::at_most, 80);
  print_ratio("bytes per candle, peak", figures, (peak - before) * 1024 / candles, bound::at_most,
              160);
}

} // namespace backtest::benchmarks
