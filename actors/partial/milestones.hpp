#pragma once

#include "messages/event.hpp"

#include <array>
#include <cstdint>
#include <vector>

namespace backtest {

/// Progress in percent -> number of whole levels crossed (10 % each), 0..10.
constexpr int levels_crossed(double progress) noexcept {
  int count = 0;
  while (count < 10 && progress >= (count + 1) * 10)
    ++count;
  return count;
}

/// Remembers which levels of one signal were already announced, per side.
class milestones {
public:
  /// Levels (10, 20, .. 100) up to `crossed` tens that were never reported before, ascending.
  std::vector<int> reach(milestone_side side, int crossed) {
    std::vector<int> fresh;
    auto& seen = announced_[static_cast<std::size_t>(side)];
    for (int level = 1; level <= crossed; ++level) {
      const auto bit = static_cast<std::uint16_t>(1U << level);
      if ((seen & bit) == 0) {
        seen = static_cast<std::uint16_t>(seen | bit);
        fresh.push_back(level * 10);
      }
    }
    return fresh;
  }

private:
  std::array<std::uint16_t, 2> announced_{};
};

} // namespace backtest
