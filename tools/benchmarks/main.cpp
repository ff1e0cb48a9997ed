#include "actors/exchange/candle_writer.hpp"
#include "actors/exchange/synthetic_candles.hpp"
#include "tools/benchmarks/engine_ratios.hpp"
#include "tools/benchmarks/fan_out.hpp"
#include "tools/benchmarks/fetch_scale.hpp"
#include "tools/benchmarks/hand_written_csv.hpp"
#include "tools/benchmarks/live_scale.hpp"
#include "tools/benchmarks/memory.hpp"
#include "tools/benchmarks/repetitions.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

using namespace backtest;
using namespace backtest::benchmarks;

namespace {

constexpr std::string_view usage =
    "benchmarks [--benchmark_filter=REGEX ...]  Google Benchmark entries\n"
    "benchmarks --ratios [PART]                 figures next to their targets, one per line, each "
    "ok, OVER\n"
    "                                           or UNDER; exit 1 when one misses its target;\n"
    "                                           PART: single, portfolio, csv, memory, live, "
    "fanout, fetch\n"
    "benchmarks --alone=SIDE STRATEGY TIMES     engine, core, loop, or on 16 symbols portfolio, "
    "portfolio2,\n"
    "                                           capped, capped2 (threads), for a profiler\n"
    "benchmarks --live-boundaries [asked|busy]  2,000 live symbols for an hour, for a profiler\n"
    "benchmarks --write-csv=FILE MINUTES        made-up candles from 2024-01-01 on\n"
    "benchmarks --parse-csv=FILE                milliseconds of the baseline parser, median of "
    "11\n";

std::int64_t integer_of(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc{} || end != text.data() + text.size() || value < 0)
    throw failure(error_code::invalid_argument,
                  fmt::format("expected a number >= 0, got \"{}\"", text));
  return value;
}

void write_csv(const std::string& file, std::int64_t minutes) {
  constexpr instant start = 1'704'067'200'000; // 2024-01-01
  write_candle_csv(generate_candles(7, "BTCUSDT", 40'000, 0.6, start, start + minutes * minute_ms),
                   file);
}

void time_baseline_parser(const std::string& file) {
  const auto taken = alternate({[&] { hand_written::read_csv(file.c_str()); }}, 11);
  fmt::print("{:.3f}\n", median(taken[0]));
}

/// Whether all of them meet their targets.
bool print_ratios(std::string_view part) {
  constexpr std::array parts{"single", "portfolio", "csv", "memory", "live", "fanout", "fetch"};
  if (!part.empty() && std::find(parts.begin(), parts.end(), part) == parts.end())
    throw failure(error_code::invalid_argument,
                  fmt::format("--ratios {}: no such part, expected one of: {}", part,
                              fmt::join(parts, ", ")));
  const auto wanted = [part](std::string_view name) { return part.empty() || part == name; };
  if (wanted("single"))
    print_single_run_ratios();
  if (wanted("portfolio"))
    print_portfolio_ratios();
  if (wanted("csv"))
    print_csv_ratio();
  if (wanted("memory")) {
    print_candle_size();
    print_idle_strategy_size();
  }
  if (wanted("live")) {
    print_live_ratios();
    print_live_memory();
  }
  if (wanted("fanout"))
    print_fan_out_ratios();
  if (wanted("fetch"))
    print_fetch_ratios();
  return conclude_ratios();
}

/// The exit status; nothing: not one of our own modes.
std::optional<int> run_mode_of(const std::vector<std::string>& arguments) {
  const std::string flag = arguments.empty() ? "" : arguments[0];
  const auto value = [&](std::string_view name) -> std::optional<std::string> {
    if (!flag.starts_with(name))
      return std::nullopt;
    return flag.substr(name.size());
  };
  const auto argument = [&](std::size_t index) -> const std::string& {
    if (index >= arguments.size())
      throw failure(error_code::invalid_argument, flag + ": an argument is missing");
    return arguments[index];
  };
  if (flag == "--help")
    fmt::print("{}", usage);
  else if (flag == "--ratios")
    return print_ratios(arguments.size() > 1 ? arguments[1] : "") ? 0 : 1;
  else if (const auto side = value("--alone="))
    run_alone(*side, argument(1), static_cast<int>(integer_of(argument(2))));
  else if (flag == "--live-boundaries")
    run_live_boundaries(arguments.size() > 1 ? arguments[1] : "");
  else if (const auto target = value("--write-csv="))
    write_csv(*target, integer_of(argument(1)));
  else if (const auto file = value("--parse-csv="))
    time_baseline_parser(*file);
  else if (const auto count = value("--idle-strategies="))
    hold_idle_strategies(static_cast<std::size_t>(integer_of(*count)));
  else if (const auto live = value("--live-strategies="))
    hold_live_strategies(static_cast<std::size_t>(integer_of(*live)));
  else if (flag == "--replay-week")
    replay_a_week();
  else if (const auto candles = value("--load-candles="))
    hold_candles(*candles);
  else
    return std::nullopt;
  return 0;
}

} // namespace

int main(int argc, char** argv) try {
  if (const auto status = run_mode_of({argv + 1, argv + argc}))
    return *status;
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv))
    return 2;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
} catch (const std::exception& caught) {
  fmt::print(stderr, "benchmarks: {}\n", caught.what());
  return 1;
}
