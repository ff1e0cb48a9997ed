#pragma once

#include "runtime/runtime.hpp"
#include "tools/benchmarks/hand_written_loop.hpp"

#include <memory>
#include <string>
#include <vector>

namespace backtest::benchmarks {

/// A strategy, as the engine and as the hand-written loop know it.
struct contender {
  std::string name;
  interval size;
  signal_function engine_source;
  hand_written::signal_source source;
};

/// never (1m), sma_cross (15m), time_grid (1h).
const std::vector<contender>& contenders();
const contender& contender_named(const std::string& name);

/// Candles of made-up symbols and the frame both sides run over.
struct test_market {
  std::vector<std::shared_ptr<const candle_series>> minutes; ///< one per symbol
  instant first = 0;
  instant last = 0;

  std::vector<std::string> symbols() const;
};

/// `days` from 2024-01-01 on, with a day before and two days behind for warm-up and for positions
/// that are open at the end.
test_market make_market(std::size_t symbols, int days);

/// The larger candles the hand-written loop reads, made beforehand.
struct hand_written_data {
  hand_written_data(const test_market& market, const contender& chosen);

  std::vector<hand_written::trade> run(std::size_t symbol) const;
  /// All symbols on `threads` threads; trades in all.
  std::size_t run_all(std::size_t threads) const;

  const test_market& market;
  const contender& chosen;
  std::vector<candle_series> bars;
};

enum class risk_sharing : bool { none, capped };

/// A runtime with `market` as its exchange and every contender as a strategy; a first run puts the
/// candles into the exchange client.
class engine_fixture {
public:
  /// `capped`: every strategy answers to one profile that allows eight positions.
  engine_fixture(const test_market& market, std::size_t threads,
                 risk_sharing sharing = risk_sharing::none);

  /// One background run of the strategy on all symbols; closed signals.
  std::size_t run(const std::string& strategy);
  /// The same, and what it closed, in order.
  std::vector<hand_written::trade> trades(const std::string& strategy);

  runtime& target() noexcept { return runtime_; }

private:
  backtest_request request_for(const std::string& strategy) const;

  std::vector<std::string> symbols_;
  runtime runtime_;
};

/// The strategy core alone over one symbol, without actors and reports; closed signals.
class plain_core_fixture {
public:
  plain_core_fixture(const test_market& market, const contender& chosen);
  std::size_t run() const;

private:
  const test_market& market_;
  strategy_schema schema_;
  interval size_;
  shared_series bars_;
  shared_prices prices_;
};

/// Throws when the engine and the loop do not close the same trades, digit for digit.
void require_equal_trades(const test_market& market, const contender& chosen,
                          engine_fixture& engine);

} // namespace backtest::benchmarks
