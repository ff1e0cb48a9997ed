#pragma once

#include "messages/time.hpp"

#include <functional>
#include <memory>

namespace backtest {

/// What a live run takes its minutes from. One alarm at a time; thread-safe.
class live_clock {
public:
  live_clock() = default;
  live_clock(const live_clock&) = delete;
  live_clock& operator=(const live_clock&) = delete;
  virtual ~live_clock() = default;

  /// Replayed history: nothing is missed while the node is down, and candles are there already.
  virtual bool is_replay() const noexcept = 0;
  /// As fast as the machine can: every instant is due at once.
  virtual bool is_unpaced() const noexcept { return false; }
  /// Milliseconds since 1970, of this clock. May jump, forward and back.
  virtual instant now() const = 0;
  /// Calls `ring` from another thread once `now() >= when`, soon when that is so already; replaces
  /// the alarm set before.
  virtual void wake_at(instant when, std::function<void()> ring) = 0;
  /// The first instant of a replay, told before the first alarm; what is replayed is paced from
  /// there.
  virtual void start_at(instant) {}
  /// No alarm rings any more once it returns (one that rings may finish).
  virtual void cancel() = 0;
};

/// The machine's clock. Notices within a second that it was set.
std::shared_ptr<live_clock> make_system_clock();

/// Replays `speed` minutes of history a minute; `infinity`: unpaced. Throws
/// `failure(invalid_argument)` unless speed > 0.
std::shared_ptr<live_clock> make_replay_clock(double speed);

} // namespace backtest
