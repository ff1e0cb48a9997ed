#pragma once

#include "actors/strategy/run_rows.hpp"
#include "messages/candle.hpp"
#include "messages/idle_stretch.hpp"

#include <cstdint>
#include <memory>
#include <optional>

namespace backtest {

/// A live run whose generation slot is used up while no signal lives: before `until` nothing
/// happens to it but idle ticks, so nobody needs to ask its client.
struct quiet_run {
  std::shared_ptr<const stored_run> run; ///< as it became quiet; null: it is not
  instant until = 0;                     ///< exclusive
};

/// Follows the price of one quiet run from its one-minute candles. One thread at a time.
class quiet_price {
public:
  /// `price_candles`: minutes of the average price, >= 1.
  explicit quiet_price(std::int64_t price_candles) : price_candles_(price_candles) {}

  /// The newest instant in [from, until), whole minutes, at which there was a price, as the idle
  /// tick of `run`; nothing when there was none. `minutes` must not be null.
  std::optional<idle_stretch> newest(const shared_identity& run, const shared_series& minutes,
                                     instant from, instant until);

private:
  std::int64_t price_candles_;
  shared_series minutes_;
  series_cursor cursor_;
};

} // namespace backtest
