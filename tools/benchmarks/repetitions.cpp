#include "tools/benchmarks/repetitions.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <thread>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace backtest::benchmarks {

namespace {

/// Threads of an actor system look for work that long after the last; meanwhile they would take
/// time from the next contestant.
constexpr std::chrono::milliseconds settling{100};

std::size_t printed_ratios = 0;
std::vector<std::string> missed_ratios; ///< their names

} // namespace

double milliseconds_of(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
      .count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const auto middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

std::vector<std::vector<double>> alternate(const std::vector<std::function<void()>>& contestants,
                                           std::size_t times) {
  std::vector<std::vector<double>> taken(contestants.size());
  for (const auto& contestant : contestants)
    contestant();
  for (std::size_t round = 0; round < times; ++round)
    for (std::size_t i = 0; i < contestants.size(); ++i) {
      std::this_thread::sleep_for(settling);
      taken[i].push_back(milliseconds_of(contestants[i]));
    }
  return taken;
}

void print_ratio(const std::string& name, const std::string& figures, double ratio, bound side,
                 double target) {
  const bool holds = side == bound::at_most ? ratio <= target : ratio >= target;
  ++printed_ratios;
  if (!holds)
    missed_ratios.push_back(name);
  fmt::print("{:<34} {:<44} {:8.2f}   target {} {:g}   {}\n", name, figures, ratio,
             side == bound::at_most ? "<=" : ">=", target,
             holds ? "ok" : (side == bound::at_most ? "OVER" : "UNDER"));
  std::fflush(stdout);
}

bool conclude_ratios() {
  if (!missed_ratios.empty())
    fmt::print(stderr, "benchmarks: {} of {} figures miss their targets: {}\n",
               missed_ratios.size(), printed_ratios, fmt::join(missed_ratios, "; "));
  return missed_ratios.empty();
}

} // namespace backtest::benchmarks
