#include "tests/support/runtime_fixture.hpp"

#include <algorithm>

#include <fmt/format.h>

using namespace backtest;
using namespace backtest::testing;

TEST_CASE("scale: two thousand symbols, with shared risk, listeners and progress, take seconds") {
  const watchdog guard{};
  constexpr int count = is_sanitized ? 400 : 2000;
  runtime target{quiet()};
  auto exchange = wave_exchange();
  exchange.get_candles = [](const candle_query& query) {
    return wave(std::max(query.since, first_instant - 10 * minute_ms),
                std::min(query.until, first_instant + 120 * minute_ms));
  };
  target.add_exchange(exchange);
  target.add_frame(frame_of(100 * minute_ms));
  risk_schema risk;
  risk.risk_name = "shared";
  risk.validations.push_back({[](const risk_question& question) {
                                return question.active_positions.size() >= 50
                                           ? std::optional<std::string>{"full"}
                                           : std::nullopt;
                              },
                              ""});
  target.add_risk(risk);
  auto strategy = strategy_of("buyer");
  strategy.risk_name = "shared";
  target.add_strategy(strategy);
  std::vector<std::string> symbols;
  for (int i = 0; i < count; ++i)
    symbols.push_back(fmt::format("S{}", i));
  heard_events told{target,
                    {topic::progress_backtest, topic::done_backtest, topic::signal_backtest}};
  auto run = target.backtest().background(request_of(symbols));
  run.wait();
  std::int64_t opened = 0;
  for (const auto& summary : run.summaries()) {
    CHECK(summary.outcome == run_outcome::completed);
    opened += summary.counters.opened;
  }
  CHECK(opened >= 50);
  CHECK(told.of<done_event>().size() == count);
}
