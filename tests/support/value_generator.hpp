#pragma once

#include "messages/event.hpp"
#include "messages/trade_statistics.hpp"

#include <bit>
#include <cmath>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>

namespace backtest::testing {

/// Values of every shape, from a seed.
class generator {
public:
  explicit generator(std::uint64_t seed) : random_(seed) {}

  bool coin() { return random_() % 2 == 0; }
  std::int64_t integer() { return static_cast<std::int64_t>(random_()); }
  double number() {
    const double value = std::bit_cast<double>(random_());
    return std::isfinite(value) ? value : 0.1;
  }
  std::string text() {
    static const char* const samples[] = {"",
                                          "BTCUSDT",
                                          "a \"quoted\" \\ text",
                                          "line\nbreak\x01",
                                          "h\xC3\xA4lt \xF0\x9F\x98\x80",
                                          "longer than a small string holds"};
    return samples[random_() % 6];
  }
  template <class Enum>
  Enum pick(std::size_t count) {
    return static_cast<Enum>(random_() % count);
  }
  template <class Make>
  auto maybe(Make make) {
    return coin() ? std::optional{make()} : std::nullopt;
  }
  std::optional<std::int64_t> maybe_integer() {
    return maybe([this] { return integer(); });
  }
  std::optional<double> maybe_number() {
    return maybe([this] { return number(); });
  }
  position_side side() { return pick<position_side>(2); }

  run_identity identity() { return {text(), text(), text(), text(), pick<run_mode>(2)}; }
  shared_identity run() { return std::make_shared<run_identity>(identity()); }
  signal_row row() {
    return {text(),   text(),   text(),    text(),    side(),          text(), number(),
            number(), number(), integer(), integer(), maybe_integer(), coin(), maybe_number()};
  }
  signal_request request() {
    return {side(),         maybe([this] { return text(); }),
            maybe_number(), number(),
            number(),       maybe_integer(),
            text(),         maybe_number()};
  }
  shared_signal signal() { return std::make_shared<signal_row>(row()); }

  tick_result tick() {
    tick_result tick;
    tick.action = pick<tick_action>(tick_action_count);
    tick.run = run();
    tick.current_price = number();
    tick.timestamp = integer();
    if (tick.action != tick_action::idle)
      tick.signal = signal();
    if (tick.action == tick_action::active) {
      tick.percent_tp = number();
      tick.percent_sl = number();
    }
    if (tick.action == tick_action::closed) {
      tick.closed_by = pick<close_reason>(4);
      tick.pnl = profit_and_loss{number(), number(), number()};
      tick.peak_pnl = maybe_number();
      tick.fall_pnl = maybe_number();
    }
    if (tick.action == tick_action::cancelled)
      tick.cancelled_by = pick<cancel_reason>(5);
    if (tick.action == tick_action::closed || tick.action == tick_action::cancelled)
      tick.close_timestamp = integer();
    tick.caught_up = coin();
    return tick;
  }

  trade_statistics statistics() {
    trade_statistics made;
    made.total_signals = integer();
    made.win_count = integer();
    made.total_pnl = maybe_number();
    made.sharpe_ratio = maybe_number();
    if (!made.sharpe_ratio)
      made.unavailable.push_back({"sharpe_ratio", "min_trades_ratio"});
    made.max_win_streak = maybe_integer();
    made.exposure = maybe_number();
    if (coin())
      made.sampled.push_back({"median_pnl", integer(), integer()});
    return made;
  }
  shared_statistics figures() { return std::make_shared<const trade_statistics>(statistics()); }
  shared_identity walker() {
    return std::make_shared<run_identity>(
        run_identity{text(), text(), text(), text(), run_mode::backtest});
  }
  std::optional<std::string> maybe_text() {
    return maybe([this] { return text(); });
  }

  event any() {
    switch (random_() % 11) {
    case 0: {
      constexpr topic on[] = {topic::signal, topic::signal_live, topic::signal_backtest};
      return {on[random_() % 3], tick()};
    }
    case 1: {
      const auto side = pick<milestone_side>(2);
      return {side == milestone_side::profit ? topic::partial_profit : topic::partial_loss,
              partial_event{run(), signal(), side, 10 * static_cast<int>(random_() % 11), number(),
                            integer()}};
    }
    case 2:
      return {topic::risk,
              risk_event{run(), text(), request(), number(), integer(), text(), integer()}};
    case 3: {
      constexpr topic on[] = {topic::error, topic::exit, topic::validation};
      return {on[random_() % 3], error_event{pick<error_code>(error_code_count), text(), text(),
                                             maybe_integer(), coin() ? run() : nullptr}};
    }
    case 4: {
      constexpr topic on[] = {topic::done_backtest, topic::done_live, topic::done_walker};
      return {on[random_() % 3], done_event{run(), text(), pick<run_outcome>(3)}};
    }
    case 5:
      return {topic::progress_backtest, progress_backtest{run(), integer(), integer(), number()}};
    case 6:
      return {topic::control, control_event{run(), pick<operator_command>(4), integer()}};
    case 7:
      return {topic::progress_walker, progress_walker{walker(), integer(), integer(), number()}};
    case 8:
      return {topic::walker,
              walker_event{run(), text(), figures(), text(), maybe_number(), maybe_number(),
                           maybe_text(), integer(), integer(), coin()}};
    case 9:
      return {topic::walker_complete,
              walker_complete{walker(), text(), integer(), integer(), integer(), coin(),
                              maybe_text(), maybe_number(), coin() ? figures() : nullptr}};
    default:
      return {topic::performance,
              performance_event{run(), pick<metric_type>(4), number(), integer(), maybe_integer()}};
    }
  }

private:
  std::mt19937_64 random_;
};

} // namespace backtest::testing
