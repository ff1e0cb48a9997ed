#include "runtime/wall_clock.hpp"

#include <chrono>

namespace backtest {

instant wall_clock() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

} // namespace backtest
