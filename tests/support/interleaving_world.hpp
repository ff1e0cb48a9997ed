#pragma once

#include "actors/exchange/synthetic_candles.hpp"
#include "actors/strategy/built_in_strategies.hpp"
#include "tests/support/deterministic_portfolio.hpp"
#include "tests/support/golden.hpp"
#include "tests/support/plain_portfolio.hpp"

#include <atomic>

#if !BACKTEST_CAF_MODERN

namespace backtest::testing {

inline constexpr instant interleaving_start = 1'704'067'200'000 + 7 * day_ms;

/// Schemas over a synthetic market, with candles that were loaded once for all seeds.
struct world {
  schema_set schemas;
  std::shared_ptr<const ready_exchange_state::candles> candles;
  std::vector<std::string> symbols{"AAA", "BBB", "CCC"};
};

inline world make_world(instant length) {
  world made;
  exchange_schema exchange;
  exchange.exchange_name = "synthetic";
  exchange.source = std::make_shared<synthetic_source>(7, made.symbols, 100.0, 1.5);
  made.schemas.exchanges.push_back(exchange);
  frame_schema frame;
  frame.frame_name = "frame";
  frame.start = interleaving_start;
  frame.end = interleaving_start + length;
  made.schemas.frames.push_back(frame);
  candle_loader loader{exchange, {}, {}};
  auto series = std::make_shared<ready_exchange_state::candles>();
  for (const auto& symbol : made.symbols)
    (*series)[symbol] = loader.load(symbol, interval::m1, interleaving_start - day_ms,
                                    interleaving_start + length + 3 * day_ms);
  made.candles = series;
  return made;
}

inline const world& small_world() {
  static const world made = make_world(8 * 60 * minute_ms);
  return made;
}

/// Of so many minutes that a subscriber who hears them all falls behind.
inline const world& long_world() {
  static const world made = make_world(6 * day_ms);
  return made;
}

inline risk_schema at_most(const std::string& name, std::size_t positions) {
  risk_schema schema;
  schema.risk_name = name;
  schema.validations.push_back({[positions](const risk_question& question) {
                                  return question.active_positions.size() >= positions
                                             ? std::optional<std::string>{"full"}
                                             : std::nullopt;
                                },
                                ""});
  return schema;
}

inline strategy_schema grid(const std::string& name, interval size, std::int64_t minutes) {
  strategy_schema schema;
  schema.strategy_name = name;
  schema.size = size;
  schema.get_signal = make_time_grid({0.008, 0.008, minutes});
  return schema;
}

inline strategy_schema pullback(const std::string& name) {
  strategy_schema schema;
  schema.strategy_name = name;
  schema.size = interval::m5;
  schema.get_signal = make_pullback_limit({12, 0.001, 0.001, 0.006, 0.006, 60}, interval::m1);
  return schema;
}

/// One to three profiles that the strategies name in different ways, chosen by the seed.
inline schema_set schemas_for(deterministic_system& system) {
  auto schemas = small_world().schemas;
  const auto profiles = 1 + system.choose(3);
  for (std::size_t i = 0; i < profiles; ++i)
    schemas.risks.push_back(
        at_most(std::string(1, static_cast<char>('P' + i)), 1 + system.choose(3)));
  if (system.one_in(4))
    schemas.risks.front().validations.push_back(
        {[](const risk_question& question) -> std::optional<std::string> {
           if (question.timestamp % (7 * minute_ms) == 0)
             throw std::runtime_error("every seventh minute");
           return std::nullopt;
         },
         ""});
  schemas.strategies = {grid("grid-1", interval::m5, 20), grid("grid-2", interval::m3, 35),
                        pullback("pullback")};
  if (system.one_in(3))
    schemas.strategies.pop_back();
  for (auto& strategy : schemas.strategies) {
    const auto named = system.choose(profiles + 1);
    if (named < profiles)
      strategy.risk_name = schemas.risks[named].risk_name;
    for (std::size_t i = 0; i < profiles; ++i)
      if (i != named && system.one_in(2))
        strategy.risk_list.push_back(schemas.risks[i].risk_name);
  }
  return schemas;
}

/// Lets every question to a strategy take its time by the clock that is told before the first one.
inline void slow_down(schema_set& schemas, std::int64_t milliseconds,
                      std::atomic<std::int64_t>* const& clock) {
  for (auto& strategy : schemas.strategies)
    strategy.get_signal = [inner = strategy.get_signal, milliseconds,
                           &clock](const run_context& context) {
      *clock += milliseconds;
      return inner(context);
    };
}

inline std::vector<fact> plain_facts(const schema_set& schemas,
                                     const std::vector<std::string>& symbols) {
  return facts_of(
      run_plain_portfolio(schemas, {}, schemas.exchanges.front(), schemas.frames.front(), symbols)
          .events);
}

} // namespace backtest::testing

#endif
