#pragma once

#include "actors/exchange/candle_copies.hpp"
#include "messages/candle.hpp"
#include "messages/run_context.hpp"

#include <array>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace backtest {

/// Fetches candles nobody has asked for yet: everything in [from, until). May block; throws
/// `failure`. Covers at least the range it was asked for.
using series_loader = std::function<loaded_series(const std::string& symbol, interval size,
                                                  instant from, instant until)>;

/// How an exchange prints numbers; empty functions mean 2 and 8 decimals.
struct number_formats {
  std::function<std::string(std::string_view symbol, double price)> price;
  std::function<std::string(std::string_view symbol, double quantity)> quantity;
};

/// The market one strategy client sees: immutable series it holds already, and a loader for what it
/// does not. Answers from closed candles only, and gives copies of them, as the series go on behind
/// what may be known. One thread at a time.
class series_market final : public market_view {
public:
  series_market(std::string symbol, std::int64_t avg_price_candles_count, number_formats formats,
                series_loader load);

  /// Adds candles that were loaded ahead of time.
  void provide(loaded_series loaded);

  /// One-minute candles of the client's own symbol; empty before they were provided.
  const candle_series& minutes() const noexcept;
  /// The same, to be kept: older candles may replace what is held here. Null before.
  const shared_series& shared_minutes() const noexcept;
  /// Their average prices over as many minutes as this market's own are; null: not worked out.
  shared_prices prices_of_minutes() const noexcept;

  std::span<const candle> candles(std::string_view symbol, interval size, std::int64_t limit,
                                  instant when) override;
  std::span<const candle> candles_present(std::string_view symbol, interval size,
                                          std::int64_t limit, instant when) override;
  double average_price(std::string_view symbol, instant when) override;
  std::string format_price(std::string_view symbol, double price) const override;
  std::string format_quantity(std::string_view symbol, double quantity) const override;

  /// The signal source returned: what it was given is gone.
  void end_question() noexcept { given_.clear(); }

private:
  struct holding {
    loaded_series loaded;
    series_cursor cursor;
    instant longest = 0; ///< range asked for
  };
  using holdings = std::array<holding, interval_count>;

  holding& require(std::string_view symbol, interval size, instant from, instant until);
  holdings& of(std::string_view symbol);
  /// Candles with open times in [aligned when - limit * interval, aligned when), of the series itself.
  std::span<const candle> window(std::string_view symbol, interval size, std::int64_t limit,
                                 instant when);

  /// Worked out ahead, at instants where one of the market's own minutes closes; else null.
  const double* tabled_price(std::string_view symbol, instant when) noexcept;
  std::span<const candle> copy_of(std::span<const candle> known, instant when);

  std::string symbol_;
  std::int64_t avg_price_candles_count_;
  number_formats formats_;
  series_loader load_;
  holdings own_{};
  std::map<std::string, holdings, std::less<>> others_;
  candle_copies given_; ///< at the instant asked about last
  instant asked_at_ = INT64_MIN;
};

} // namespace backtest
