#include "actors/strategy/quiet_run.hpp"

#include "actors/exchange/average_price.hpp"

namespace backtest {

std::optional<idle_stretch> quiet_price::newest(const shared_identity& run,
                                                const shared_series& minutes, instant from,
                                                instant until) {
  if (minutes != minutes_) {
    minutes_ = minutes;
    cursor_ = series_cursor{*minutes_};
  }
  for (instant when = until - minute_ms; when >= from; when -= minute_ms) {
    const auto closed = cursor_.candles().first(cursor_.closed_at(when));
    if (has_price_window(closed, when, price_candles_))
      return idle_stretch{run, when, windowed_price(closed, when, price_candles_), false};
  }
  return std::nullopt;
}

} // namespace backtest
