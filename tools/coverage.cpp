#include "tools/coverage.hpp"

#include "messages/error.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace backtest::tools {

namespace {

constexpr double flat_price = 100;

/// Whoever asks for more at once asks for all of the past: no market has it, and it does not fit
/// into memory.
constexpr std::int64_t most_candles = 2'000'000;

/// A market without movement that remembers how far back it was asked.
class flat_market final : public market_view {
public:
  flat_market(instant first, std::int64_t avg_price_candles_count)
      : oldest_(first), avg_price_candles_count_(avg_price_candles_count) {}

  instant oldest() const noexcept { return oldest_; }

  std::span<const candle> candles(std::string_view, interval size, std::int64_t limit,
                                  instant when) override {
    if (limit > most_candles) {
      oldest_ = std::min<instant>(oldest_, 0);
      throw failure(error_code::data_gap, "the market has no such past");
    }
    if (!is_candle_interval(size))
      throw failure(error_code::invalid_argument, "there are no such candles");
    const instant length = length_of(size);
    const instant since = align_down(when, length) - limit * length;
    oldest_ = std::min(oldest_, since);
    auto& made = made_.emplace_back();
    for (std::int64_t i = 0; i < limit; ++i)
      made.push_back({since + i * length, flat_price, flat_price, flat_price, flat_price, 1});
    return made;
  }
  std::span<const candle> candles_present(std::string_view symbol, interval size,
                                          std::int64_t limit, instant when) override {
    return candles(symbol, size, limit, when);
  }
  double average_price(std::string_view, instant when) override {
    oldest_ = std::min(oldest_, when - avg_price_candles_count_ * minute_ms);
    return flat_price;
  }
  std::string format_price(std::string_view, double price) const override {
    return fmt::format("{:.2f}", price);
  }
  std::string format_quantity(std::string_view, double quantity) const override {
    return fmt::format("{:.8f}", quantity);
  }

private:
  instant oldest_;
  std::int64_t avg_price_candles_count_;
  std::vector<std::vector<candle>> made_;
};

} // namespace

instant warm_up_start(const strategy_schema& strategy, const std::string& symbol, instant first,
                      std::int64_t avg_price_candles_count, position_sizer& sizer) {
  flat_market market{first, avg_price_candles_count};
  market.average_price(symbol, first); // every instant has a price
  if (strategy.get_signal && !strategy.blocking) {
    const run_identity identity{symbol, strategy.strategy_name, "", "", run_mode::backtest};
    try {
      strategy.get_signal(run_context{identity, first, market, &sizer});
    } catch (...) { // NOLINT: documented, what was asked until then counts
    }
  }
  return market.oldest();
}

coverage coverage_of(const candle_series& minutes, instant since, instant until) {
  const auto begin =
      std::lower_bound(minutes.candles.begin(), minutes.candles.end(), since,
                       [](const candle& item, instant when) { return item.open_time < when; });
  const auto end =
      std::lower_bound(begin, minutes.candles.end(), until,
                       [](const candle& item, instant when) { return item.open_time < when; });
  coverage covered;
  covered.present = end - begin;
  const std::int64_t expected = (until - since) / minute_ms;
  if (covered.present == 0) {
    covered.missing_head = expected;
    return covered;
  }
  covered.missing_head = (begin->open_time - since) / minute_ms;
  covered.missing_tail = (until - (end - 1)->open_time) / minute_ms - 1;
  covered.missing_inside = expected - covered.present - covered.missing_head - covered.missing_tail;
  return covered;
}

std::string to_text(const coverage& covered) {
  auto text = fmt::format("{} of {} minutes", covered.present, covered.expected());
  std::vector<std::string> missing;
  if (covered.present == 0 && covered.expected() > 0)
    missing.emplace_back("all");
  else if (covered.missing_head > 0)
    missing.push_back(fmt::format("{} at the start", covered.missing_head));
  if (covered.missing_inside > 0)
    missing.push_back(fmt::format("{} in between", covered.missing_inside));
  if (covered.missing_tail > 0)
    missing.push_back(fmt::format("{} at the end", covered.missing_tail));
  return missing.empty() ? text : text + fmt::format(", missing: {}", fmt::join(missing, ", "));
}

std::string text_of_range(const candle_series& minutes) {
  return minutes.empty()
             ? std::string{"no candles"}
             : fmt::format("candles from {} to {}", to_iso(minutes.candles.front().open_time),
                           to_iso(minutes.end()));
}

} // namespace backtest::tools
