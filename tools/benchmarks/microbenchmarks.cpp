#include "actors/exchange/candle_csv.hpp"
#include "actors/exchange/candle_writer.hpp"
#include "actors/frame/frame_actor.hpp"
#include "messages/own_actor_system.hpp"
#include "runtime/runtime_core.hpp"
#include "tools/benchmarks/engine_runs.hpp"
#include "tools/benchmarks/hand_written_csv.hpp"

#include <filesystem>
#include <fstream>
#include <future>

#include <unistd.h>

#include <benchmark/benchmark.h>
#include <fmt/format.h>

// Entries for profiling and for watching single costs. Targets are ratios: see --ratios.

namespace backtest::benchmarks {

namespace {

/// One year of one symbol; made once.
const test_market& one_year() {
  static const auto market = make_market(1, 366);
  return market;
}

void count_candles(benchmark::State& state, std::size_t candles) {
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(candles));
}

void hand_written_run(benchmark::State& state, const std::string& strategy) {
  const hand_written_data loop{one_year(), contender_named(strategy)};
  for (auto _ : state)
    benchmark::DoNotOptimize(loop.run(0).size());
  count_candles(state, one_year().minutes.front()->candles.size());
}

void plain_core_run(benchmark::State& state, const std::string& strategy) {
  const plain_core_fixture core{one_year(), contender_named(strategy)};
  for (auto _ : state)
    benchmark::DoNotOptimize(core.run());
  count_candles(state, one_year().minutes.front()->candles.size());
}

void engine_run(benchmark::State& state, const std::string& strategy) {
  engine_fixture engine{one_year(), 1};
  for (auto _ : state)
    benchmark::DoNotOptimize(engine.run(strategy));
  count_candles(state, one_year().minutes.front()->candles.size());
}

/// Asks `to` again and again, the next time when the answer is there, from inside an actor.
template <class Answer, class Handle, class Message>
void ask_in_turn(caf::actor_system& system, const Handle& to, const Message& message,
                 std::int64_t times) {
  std::promise<void> done;
  system.spawn([&](caf::event_based_actor* self) {
    struct loop {
      caf::event_based_actor* self;
      Handle to;
      Message message;
      std::int64_t left;
      std::promise<void>* done;

      static void go_on(const std::shared_ptr<loop>& state) {
        if (state->left-- == 0)
          return state->done->set_value();
        request(state->self, state->to, caf::infinite, state->message)
            .then([state](const Answer&) { go_on(state); },
                  [state](const caf::error&) { state->done->set_value(); });
      }
    };
    loop::go_on(std::make_shared<loop>(loop{self, to, message, times, &done}));
  });
  done.get_future().wait();
}

constexpr std::int64_t questions = 10'000;

void request_and_response(benchmark::State& state) {
  own_actor_system system{static_cast<std::size_t>(state.range(0))};
  auto& actors = system.get();
  frame_schema schema;
  schema.frame_name = "day";
  schema.end = day_ms;
  const auto frame = spawn_frame_client(actors, nullptr, schema);
  for (auto _ : state)
    ask_in_turn<frame_timeline>(actors, frame, ask_timeline{}, questions);
  state.SetItemsProcessed(state.iterations() * questions);
  end_actor(frame);
}

void supervisor_resolve(benchmark::State& state) {
  runtime_options options;
  options.threads = 1;
  runtime target{options};
  strategy_schema strategy;
  strategy.strategy_name = "never";
  strategy.get_signal = contender_named("never").engine_source;
  target.add_strategy(strategy);
  const auto supervisor = runtime_internals::clients(target).strategies;
  strategy_key key;
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    key = {fmt::format("SYM{:04}", i), "never", run_mode::backtest};
    ask_in_turn<resolved<strategy_actor>>(target.system(), supervisor,
                                          resolve<strategy_key>{key}, 1);
  }
  for (auto _ : state)
    ask_in_turn<resolved<strategy_actor>>(target.system(), supervisor,
                                          resolve<strategy_key>{key}, questions);
  state.SetItemsProcessed(state.iterations() * questions);
}

/// A CSV file that lives as long as the program.
class csv_file {
public:
  csv_file() { write_candle_csv(*one_year().minutes.front(), path_); }
  ~csv_file() {
    std::error_code ignored; // a temporary file; nobody is left to be told
    std::filesystem::remove(path_, ignored);
  }
  const std::filesystem::path& path() const noexcept { return path_; }

private:
  std::filesystem::path path_ = std::filesystem::temp_directory_path() /
                                fmt::format("backtest-microbenchmark-{}.csv", ::getpid());
};

const std::filesystem::path& one_year_of_csv() {
  static const csv_file file;
  return file.path();
}

void csv_reader(benchmark::State& state) {
  const auto& path = one_year_of_csv();
  for (auto _ : state)
    benchmark::DoNotOptimize(read_candle_csv(path, "SYM00USDT", {}));
  state.SetBytesProcessed(state.iterations() *
                          static_cast<std::int64_t>(std::filesystem::file_size(path)));
}

void csv_baseline(benchmark::State& state) {
  const auto& path = one_year_of_csv();
  for (auto _ : state)
    benchmark::DoNotOptimize(hand_written::read_csv(path.c_str()));
  state.SetBytesProcessed(state.iterations() *
                          static_cast<std::int64_t>(std::filesystem::file_size(path)));
}

void actor_system_life(benchmark::State& state) {
  for (auto _ : state)
    const own_actor_system system{1};
}

void runtime_life(benchmark::State& state) {
  runtime_options options;
  options.threads = 1;
  for (auto _ : state)
    const runtime target{options};
}

BENCHMARK_CAPTURE(hand_written_run, never, "never")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(plain_core_run, never, "never")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(engine_run, never, "never")->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(hand_written_run, sma_cross, "sma_cross")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(plain_core_run, sma_cross, "sma_cross")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(engine_run, sma_cross, "sma_cross")->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(hand_written_run, time_grid, "time_grid")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(plain_core_run, time_grid, "time_grid")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(engine_run, time_grid, "time_grid")->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(request_and_response)->Arg(1)->Arg(2)->UseRealTime();
BENCHMARK(supervisor_resolve)->Arg(1)->Arg(1000)->UseRealTime();
BENCHMARK(csv_reader)->Unit(benchmark::kMillisecond);
BENCHMARK(csv_baseline)->Unit(benchmark::kMillisecond);
BENCHMARK(actor_system_life)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(runtime_life)->Unit(benchmark::kMillisecond)->UseRealTime();

} // namespace

} // namespace backtest::benchmarks
