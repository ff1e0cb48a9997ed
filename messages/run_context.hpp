#pragma once

#include "messages/candle.hpp"
#include "messages/error.hpp"
#include "messages/position_size.hpp"
#include "messages/signal.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace backtest {

/// Market data as it was at one instant: closed candles only, on every path. Used by one strategy
/// client at a time. Every function throws `failure`: `data_gap` where something is missing,
/// `invalid_argument` for a limit below 1 or an interval above 1d, `not_found` for a symbol the
/// exchange does not have.
class market_view {
public:
  virtual ~market_view() = default;

  /// Exactly `limit` candles, oldest first, the newest closed at `when` (aligned to the interval).
  /// The span stays valid until the signal source returns.
  virtual std::span<const candle> candles(std::string_view symbol, interval size,
                                          std::int64_t limit, instant when) = 0;
  /// Those of the same candles that exist.
  virtual std::span<const candle> candles_present(std::string_view symbol, interval size,
                                                  std::int64_t limit, instant when) = 0;
  /// Volume-weighted average price of the last closed one-minute candles.
  virtual double average_price(std::string_view symbol, instant when) = 0;
  virtual std::string format_price(std::string_view symbol, double price) const = 0;
  virtual std::string format_quantity(std::string_view symbol, double quantity) const = 0;
};

/// Where and when a signal source is asked: a plain value, and the market as it was then.
/// Valid during the call only; a source that is an actor receives the same names in a message and
/// asks the exchange client for candles.
class run_context {
public:
  /// `sizer`: null, no sizing is registered.
  run_context(const run_identity& run, instant when, market_view& market,
              position_sizer* sizer = nullptr) noexcept
      : run_(&run), when_(when), market_(&market), sizer_(sizer) {}

  const std::string& symbol() const noexcept { return run_->symbol; }
  const std::string& strategy_name() const noexcept { return run_->strategy_name; }
  const std::string& exchange_name() const noexcept { return run_->exchange_name; }
  const std::string& frame_name() const noexcept { return run_->frame_name; }
  run_mode mode() const noexcept { return run_->mode; }
  /// The instant: virtual time in a backtest, the minute boundary in live.
  instant when() const noexcept { return when_; }
  const run_identity& identity() const noexcept { return *run_; }

  std::span<const candle> candles(interval size, std::int64_t limit) const {
    return market_->candles(symbol(), size, limit, when_);
  }
  std::span<const candle> candles(std::string_view other, interval size, std::int64_t limit) const {
    return market_->candles(other, size, limit, when_);
  }
  std::span<const candle> candles_present(interval size, std::int64_t limit) const {
    return market_->candles_present(symbol(), size, limit, when_);
  }
  std::span<const candle> candles_present(std::string_view other, interval size,
                                          std::int64_t limit) const {
    return market_->candles_present(other, size, limit, when_);
  }
  double average_price() const { return market_->average_price(symbol(), when_); }
  double average_price(std::string_view other) const { return market_->average_price(other, when_); }
  std::string format_price(double price) const { return market_->format_price(symbol(), price); }
  std::string format_quantity(double quantity) const {
    return market_->format_quantity(symbol(), quantity);
  }
  /// Quantity in base units by a registered sizing, for `signal_request::quantity`; 0: do not open.
  /// Throws as `position_sizer::size`.
  double size(std::string_view sizing_name, const size_request& request) const {
    if (!sizer_)
      throw failure(error_code::not_found,
                    "sizing " + std::string{sizing_name} + " not found source=context.size");
    return sizer_->size(symbol(), sizing_name, request);
  }

private:
  const run_identity* run_;
  instant when_;
  market_view* market_;
  position_sizer* sizer_;
};

} // namespace backtest
