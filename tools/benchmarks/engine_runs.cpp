#include "tools/benchmarks/engine_runs.hpp"

#include "actors/exchange/aggregate.hpp"
#include "actors/exchange/minute_prices.hpp"
#include "actors/exchange/synthetic_candles.hpp"
#include "actors/risk/built_in_rules.hpp"
#include "actors/strategy/built_in_strategies.hpp"

#include <atomic>
#include <thread>

#include <fmt/format.h>

namespace backtest::benchmarks {

namespace {

constexpr instant new_year_2024 = 1'704'067'200'000;

/// Hands out candles that exist already.
class prepared_source final : public candle_store_source {
public:
  explicit prepared_source(const test_market& market) : market_(market) {}

  std::vector<std::string> symbols() const override { return market_.symbols(); }
  bool loads_everything() const noexcept override { return true; }
  candle_series load(const std::string& symbol, instant, instant, const configuration&) override {
    for (const auto& series : market_.minutes)
      if (series->symbol == symbol)
        return *series;
    throw failure(error_code::not_found, "no candles of " + symbol);
  }

private:
  test_market market_;
};

runtime_options with_threads(std::size_t threads) {
  runtime_options options;
  options.threads = threads;
  return options;
}

} // namespace

const std::vector<contender>& contenders() {
  static const std::vector<contender> all{
      {"never", interval::m1, make_never(), hand_written::never},
      {"sma_cross", interval::m15, make_sma_cross({}, interval::m15), hand_written::sma_cross},
      {"time_grid", interval::h1, make_time_grid({}), hand_written::time_grid}};
  return all;
}

const contender& contender_named(const std::string& name) {
  for (const auto& item : contenders())
    if (item.name == name)
      return item;
  throw failure(error_code::not_found, "no such strategy: " + name);
}

std::vector<std::string> test_market::symbols() const {
  std::vector<std::string> names;
  for (const auto& series : minutes)
    names.push_back(series->symbol);
  return names;
}

test_market make_market(std::size_t symbols, int days) {
  test_market market;
  market.first = new_year_2024;
  market.last = new_year_2024 + days * day_ms - minute_ms;
  for (std::size_t i = 0; i < symbols; ++i)
    market.minutes.push_back(std::make_shared<const candle_series>(
        generate_candles(7, fmt::format("SYM{:02}USDT", i), 40'000, 0.6, market.first - day_ms,
                         market.last + minute_ms + 2 * day_ms)));
  return market;
}

hand_written_data::hand_written_data(const test_market& candles, const contender& strategy)
    : market(candles), chosen(strategy) {
  for (const auto& series : market.minutes)
    bars.push_back(aggregate(*series, chosen.size));
}

std::vector<hand_written::trade> hand_written_data::run(std::size_t symbol) const {
  return hand_written::run(
      {market.minutes[symbol]->candles, bars[symbol].candles, length_of(chosen.size)},
      market.first, market.last, length_of(chosen.size), chosen.source);
}

std::size_t hand_written_data::run_all(std::size_t threads) const {
  std::atomic<std::size_t> next{0}, closed{0};
  const auto work = [&] {
    for (std::size_t symbol = next++; symbol < bars.size(); symbol = next++)
      closed += run(symbol).size();
  };
  std::vector<std::jthread> others;
  for (std::size_t i = 1; i < threads; ++i)
    others.emplace_back(work);
  work();
  others.clear();
  return closed;
}

engine_fixture::engine_fixture(const test_market& market, std::size_t threads,
                               risk_sharing sharing)
    : symbols_(market.symbols()), runtime_(with_threads(threads)) {
  exchange_schema exchange;
  exchange.exchange_name = "prepared";
  exchange.source = std::make_shared<prepared_source>(market);
  runtime_.add_exchange(std::move(exchange));
  frame_schema frame;
  frame.frame_name = "all";
  frame.start = market.first;
  frame.end = market.last;
  runtime_.add_frame(std::move(frame));
  if (sharing == risk_sharing::capped) {
    risk_schema cap;
    cap.risk_name = "cap";
    cap.validations.push_back({max_positions(8), "at most eight positions"});
    runtime_.add_risk(std::move(cap));
  }
  for (const auto& item : contenders()) {
    strategy_schema strategy;
    strategy.strategy_name = item.name;
    strategy.size = item.size;
    strategy.get_signal = item.engine_source;
    if (sharing == risk_sharing::capped)
      strategy.risk_name = "cap";
    runtime_.add_strategy(std::move(strategy));
  }
  run("sma_cross");
}

backtest_request engine_fixture::request_for(const std::string& strategy) const {
  return {symbols_, {strategy}, "prepared", "all"};
}

std::size_t engine_fixture::run(const std::string& strategy) {
  const auto handle = runtime_.backtest().background(request_for(strategy));
  handle.wait();
  std::int64_t closed = 0;
  for (const auto& summary : handle.summaries()) {
    if (summary.problem)
      throw failure(*summary.problem);
    closed += summary.counters.closed;
  }
  return static_cast<std::size_t>(closed);
}

std::vector<hand_written::trade> engine_fixture::trades(const std::string& strategy) {
  std::vector<hand_written::trade> closed;
  subscription wanted;
  wanted.topics = {topic::signal_backtest};
  wanted.actions = {tick_action::closed};
  auto listener = runtime_.listen(wanted, [&closed](const event& item) {
    const auto& tick = std::get<tick_result>(item.payload);
    closed.push_back({*tick.signal->pending_at, tick.timestamp, tick.pnl->price_open,
                      tick.pnl->price_close, tick.pnl->pnl_percentage});
  });
  run(strategy);
  runtime_.flush();
  listener.unsubscribe();
  return closed;
}

plain_core_fixture::plain_core_fixture(const test_market& market, const contender& chosen)
    : market_(market), size_(chosen.size) {
  schema_.strategy_name = chosen.name;
  schema_.size = chosen.size;
  schema_.get_signal = chosen.engine_source;
  bars_ = std::make_shared<const candle_series>(aggregate(*market.minutes.front(), chosen.size));
  prices_ = tabulate_prices(*market.minutes.front(), 5);
}

std::size_t plain_core_fixture::run() const {
  const auto& minutes = market_.minutes.front();
  series_market view{minutes->symbol, 5, {}, {}};
  view.provide({minutes, INT64_MIN, INT64_MAX, prices_});
  if (size_ != interval::m1)
    view.provide({bars_, INT64_MIN, INT64_MAX});
  const auto identity = std::make_shared<const run_identity>(run_identity{
      minutes->symbol, schema_.strategy_name, "prepared", "all", run_mode::backtest});
  strategy_core core{
      schema_, plan_for(identity, {market_.first, market_.last, minute_ms}, *minutes, {}), view};
  std::vector<event> events;
  core.advance({end_of_time, interest::of(tick_action::closed)}, events);
  return static_cast<std::size_t>(core.counters().closed);
}

void require_equal_trades(const test_market& market, const contender& chosen,
                          engine_fixture& engine) {
  const auto expected = hand_written_data{market, chosen}.run(0);
  const auto found = engine.trades(chosen.name);
  double expected_pnl = 0, found_pnl = 0;
  for (const auto& item : expected)
    expected_pnl += item.pnl;
  for (const auto& item : found)
    found_pnl += item.pnl;
  if (expected != found)
    throw failure(error_code::invalid_argument,
                  fmt::format("{}: the engine closed {} trades with {} % in sum, the hand-written "
                              "loop {} with {} %: they measure different work",
                              chosen.name, found.size(), found_pnl, expected.size(),
                              expected_pnl));
}

} // namespace backtest::benchmarks
