#include "actors/exchange/synthetic_candles.hpp"
#include "runtime/runtime.hpp"

#include <iostream>

using namespace backtest;

int main() {
  runtime engine; // or inside your actor system: runtime engine{system};

  exchange_schema exchange;
  exchange.exchange_name = "made_up";
  exchange.source =
      std::make_shared<synthetic_source>(7, std::vector<std::string>{"AAAUSDT"}, 100, 0.6);
  engine.add_exchange(exchange);
  engine.add_frame(
      {"january", "", interval::m1, *parse_iso("2024-01-01"), *parse_iso("2024-01-31"), {}});

  strategy_schema noon;
  noon.strategy_name = "noon";
  noon.size = interval::h1; // asked once an hour while it has no position
  noon.get_signal = [](const run_context& now) -> std::optional<signal_request> {
    if (hour_of_day(now.when()) != 12)
      return std::nullopt;
    signal_request buy;
    buy.price_take_profit = now.average_price() * 1.02;
    buy.price_stop_loss = now.average_price() * 0.99;
    return buy;
  };
  engine.add_strategy(noon);

  auto run = engine.backtest().run({{"AAAUSDT"}, {"noon"}, "made_up", "january"});
  while (const auto trade = run.next())
    std::cout << to_iso(*trade->close_timestamp) << "  " << trade->pnl->pnl_percentage << " %\n";
}
