#pragma once

#include "messages/candle.hpp"
#include "storage/candle_block.hpp"

#include <optional>
#include <span>
#include <vector>

namespace backtest {

/// A candle that an exchange shows differently from how it showed it before.
struct candle_change {
  std::optional<candle> before; ///< absent: it was a gap
  std::optional<candle> after;  ///< absent: it is one now

  friend bool operator==(const candle_change&, const candle_change&) = default;
};

/// A range whose candles will not change any more; what is missing in it is a gap for good.
struct settled_candles {
  time_range range;
  std::vector<candle> candles;

  friend bool operator==(const settled_candles&, const settled_candles&) = default;
};

/// The newest candles of one series, until they are known for good and there are enough of them to
/// be worth a write. Exchanges revise candles shortly after their close, so those that closed less
/// than `revision` ago are asked for once more with the ones that follow. Plain code: a value that
/// is told the time. All times are in milliseconds.
class fresh_candles {
public:
  /// A candle of a source that grows may come this much later than it closed.
  static constexpr instant latest_arrival = 60 * minute_ms;
  /// Whole hours are handed over: a write a minute would cost more than asking for the newest hour
  /// again after a restart.
  static constexpr instant settled_at_once = 60 * minute_ms;

  struct taken {
    std::vector<candle_change> changes;   ///< in order of time
    std::vector<settled_candles> settled; ///< the same; not handed out again
  };

  /// Some candles were taken and not yet handed over.
  bool is_waiting() const noexcept { return !candles_.empty(); }
  /// Nothing before is held here.
  instant begins() const noexcept { return known_from_; }
  /// The range follows what was asked for before.
  bool continues(time_range next) const noexcept;

  /// Lets go of everything and goes on from `from`; answers what was settled until then.
  std::vector<settled_candles> begin_at(instant from);
  /// What is not settled before `when` is let go of; answers what was.
  std::vector<settled_candles> skip_until(instant when);
  /// From where to ask instead of `next.from`, at most back to the beginning of its UTC day: with
  /// what may have been revised since. `next` continues.
  instant ask_from(time_range next, instant revision) const;
  /// What may have been revised of the days before `next`, once all of it is old enough to be
  /// settled by one question more.
  std::optional<time_range> rest_of_days_before(time_range next, instant now,
                                                instant revision) const;

  /// An answer, all of it closed: `asked` was put at `now` or later. What lies between the end of
  /// the last question and `asked` counts as asked for, see `continues`.
  taken take(time_range asked, std::span<const candle> answer, instant now, interval size,
             instant revision);

private:
  using position = std::vector<candle>::iterator;

  void compare(time_range asked, std::span<const candle> answer, instant told_until, instant length,
               std::vector<candle_change>& changes);
  void settle(time_range asked, instant told_until, instant now, instant length, instant revision,
              std::vector<settled_candles>& settled);
  void hand_over(instant until, std::vector<settled_candles>& settled);
  position first_from(instant when);
  bool holds_any(time_range range) const;

  std::vector<candle> candles_; ///< not handed over
  instant known_from_ = 0;      ///< what comes before was handed over, or is not known
  instant settled_until_ = 0;   ///< from `known_from_` on
  instant seen_until_ = 0;      ///< the end of the newest candle
  instant asked_until_ = 0;
};

} // namespace backtest
