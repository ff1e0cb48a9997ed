#include "runtime/configuration_file.hpp"
#include "runtime/runtime.hpp"

#include <fmt/format.h>

int main(int count, char** arguments) {
  backtest::runtime engine;
  const auto loaded =
      backtest::load_configuration(count > 1 ? arguments[1] : "demo.json", engine.types());
  engine.add(loaded.schemas);
  engine.listen_error(
      [](const backtest::error_event& problem) { fmt::print("{}\n", problem.message); });
  auto run = engine.backtest().run({{"BTCUSDT"}, {"cross"}, "demo", "january"});
  while (const auto ended = run.next())
    fmt::print("{}: {} %\n", ended->signal->id, ended->pnl ? ended->pnl->pnl_percentage : 0);
}
