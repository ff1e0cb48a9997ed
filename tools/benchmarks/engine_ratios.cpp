#include "tools/benchmarks/engine_ratios.hpp"

#include "actors/exchange/candle_csv.hpp"
#include "actors/exchange/candle_writer.hpp"
#include "tools/benchmarks/engine_runs.hpp"
#include "tools/benchmarks/hand_written_csv.hpp"
#include "tools/benchmarks/repetitions.hpp"

#include <filesystem>

#include <unistd.h>

#include <fmt/format.h>

namespace backtest::benchmarks {

namespace {

constexpr int two_years = 731;

/// The gain of the second contestant over the first, round by round.
double gain(const std::vector<double>& slow, const std::vector<double>& quick) {
  std::vector<double> gains;
  for (std::size_t i = 0; i < slow.size(); ++i)
    gains.push_back(slow[i] / quick[i]);
  return median(std::move(gains));
}

} // namespace

void print_single_run_ratios() {
  const auto market = make_market(1, two_years);
  engine_fixture engine{market, 1};
  for (const auto& chosen : contenders()) {
    require_equal_trades(market, chosen, engine);
    const hand_written_data loop{market, chosen};
    const plain_core_fixture core{market, chosen};
    const auto taken = alternate({[&] { loop.run(0); }, [&] { engine.run(chosen.name); },
                                  [&] { core.run(); }});
    const double base = median(taken[0]);
    print_ratio("engine / loop, " + chosen.name,
                fmt::format("loop {:.2f} ms, engine {:.2f} ms", base, median(taken[1])),
                gain(taken[1], taken[0]), bound::at_most, 2);
    print_ratio("plain core / loop, " + chosen.name,
                fmt::format("loop {:.2f} ms, core {:.2f} ms", base, median(taken[2])),
                gain(taken[2], taken[0]), bound::at_most, 2);
  }
}

void print_portfolio_ratios() {
  const auto market = make_market(16, 365);
  const auto& chosen = contender_named("sma_cross");
  const hand_written_data loop{market, chosen};
  engine_fixture one{market, 1}, two{market, 2};
  engine_fixture capped_one{market, 1, risk_sharing::capped};
  engine_fixture capped_two{market, 2, risk_sharing::capped};
  const auto taken =
      alternate({[&] { loop.run_all(1); }, [&] { loop.run_all(2); }, [&] { one.run(chosen.name); },
                 [&] { two.run(chosen.name); }, [&] { capped_one.run(chosen.name); },
                 [&] { capped_two.run(chosen.name); }});
  const double loop_gain = gain(taken[0], taken[1]);
  const double engine_gain = gain(taken[2], taken[3]);
  const auto figures = [&](std::size_t slow) {
    return fmt::format("1 thread {:.1f} ms, 2 threads {:.1f} ms", median(taken[slow]),
                       median(taken[slow + 1]));
  };
  fmt::print("{:<34} {:<44} {:8.2f}\n", "16 symbols, loop, gain", figures(0), loop_gain);
  fmt::print("{:<34} {:<44} {:8.2f}\n", "16 symbols, engine, gain", figures(2), engine_gain);
  print_ratio("16 symbols, engine / loop", "1 thread each", gain(taken[2], taken[0]),
              bound::at_most, 2);
  print_ratio("16 symbols, engine's gain / loop's", "", engine_gain / loop_gain, bound::at_least,
              0.85);
  print_ratio("16 symbols, shared profile, gain", figures(4), gain(taken[4], taken[5]),
              bound::at_least, 1.2);
}

void print_csv_ratio() {
  const auto market = make_market(1, 365);
  const auto path = std::filesystem::temp_directory_path() /
                    fmt::format("backtest-benchmark-{}.csv", ::getpid());
  write_candle_csv(*market.minutes.front(), path);
  const auto bytes = static_cast<double>(std::filesystem::file_size(path));
  if (hand_written::read_csv(path.c_str()) != market.minutes.front()->candles)
    throw failure(error_code::invalid_argument, "the baseline parser reads other candles");
  const auto taken = alternate({[&] { hand_written::read_csv(path.c_str()); },
                                [&] { read_candle_csv(path, "SYM00USDT", {}); }});
  std::filesystem::remove(path);
  const auto rate = [&](std::size_t i) { return bytes / 1e6 / (median(taken[i]) / 1000); };
  print_ratio("CSV reader / baseline parser",
              fmt::format("baseline {:.0f} MB/s, reader {:.0f} MB/s", rate(0), rate(1)),
              gain(taken[1], taken[0]), bound::at_most, 2);
}

void run_alone(const std::string& side, const std::string& strategy, int times) {
  if (side.starts_with("portfolio") || side.starts_with("capped")) {
    engine_fixture engine{make_market(16, 365), side.ends_with("2") ? 2U : 1U,
                          side.starts_with("capped") ? risk_sharing::capped : risk_sharing::none};
    for (int i = 0; i < times; ++i)
      engine.run(strategy);
    return;
  }
  const auto market = make_market(1, two_years);
  const auto& chosen = contender_named(strategy);
  if (side == "engine") {
    engine_fixture engine{market, 1};
    for (int i = 0; i < times; ++i)
      engine.run(strategy);
  } else if (side == "core") {
    const plain_core_fixture core{market, chosen};
    for (int i = 0; i < times; ++i)
      core.run();
  } else {
    const hand_written_data loop{market, chosen};
    for (int i = 0; i < times; ++i)
      loop.run(0);
  }
}

} // namespace backtest::benchmarks
