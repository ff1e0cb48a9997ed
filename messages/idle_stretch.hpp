#pragma once

#include "messages/event.hpp"

#include <memory>
#include <vector>

namespace backtest {

/// The newest tick of a stretch of idle instants of a live run, for those to whom the ones before
/// do not matter: a fraction of the size of an event, as thousands of runs are idle every minute.
struct idle_stretch {
  shared_identity run;
  instant timestamp = 0;
  double current_price = 0;
  bool caught_up = false;

  friend bool operator==(const idle_stretch&, const idle_stretch&) = default;
};

/// Of many runs; null: none.
using shared_idle_stretches = std::shared_ptr<const std::vector<idle_stretch>>;

/// The tick it stands for.
inline tick_result tick_of(const idle_stretch& stretch) {
  tick_result tick;
  tick.run = stretch.run;
  tick.current_price = stretch.current_price;
  tick.timestamp = stretch.timestamp;
  tick.caught_up = stretch.caught_up;
  return tick;
}

} // namespace backtest
