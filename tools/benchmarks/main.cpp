#include "tools/benchmarks/engine_ratios.hpp"

#include <exception>
#include <cstring>
#include <cstdlib>

#include <fmt/format.h>

using namespace backtest::benchmarks;

int main(int argc, char** argv) try {
  if (argc >= 5 && std::strcmp(argv[1], "--alone") == 0)
    run_alone(argv[2], argv[3], std::atoi(argv[4]));
  else {
  print_single_run_ratios();
  print_portfolio_ratios();
  print_csv_ratio(); }
} catch (const std::exception& caught) {
  fmt::print(stderr, "{}\n", caught.what());
  return 1;
}
