#pragma once

#include "actors/gate/frame_check.hpp"
#include "tests/support/tls_peer.hpp"

#include <random>
#include <string>

#include <doctest/doctest.h>

namespace backtest::testing {

/// A conversation with a bit flipped, cut short, without some bytes, or with a header too many.
inline std::string damaged_in_way(const std::string& sound, std::uint32_t seed) {
  std::mt19937 random{seed};
  auto damaged = sound;
  const auto at = random() % damaged.size();
  switch (seed % 4) {
  case 0: damaged[at] = static_cast<char>(damaged[at] ^ (1 << (random() % 8))); break;
  case 1: damaged.resize(at); break;
  case 2: damaged.erase(at, 1 + random() % 40); break;
  default: damaged.insert(at, frame_header_bytes(random() % 8, 0, random() % 3)); break;
  }
  return damaged;
}

/// Damages a sound conversation in 1,000 seeded ways. The same passes in one piece and byte by
/// byte, and what passed is sound by itself, so it ends within a payload or behind one.
inline void damage_in_1000_ways(const std::string& sound, const frame_rules& rules,
                                frame_sender sender) {
  {
    frame_check check{rules, sender};
    REQUIRE(check.passable(sound) == sound.size());
  }
  std::size_t refused = 0;
  for (std::uint32_t seed = 0; seed < 1000; ++seed) {
    CAPTURE(seed);
    const auto damaged = damaged_in_way(sound, seed);
    frame_check whole{rules, sender};
    const auto passed = damaged.substr(0, whole.passable(damaged));
    frame_check cut{rules, sender};
    std::string piecewise;
    std::string waiting;
    for (const char byte : damaged) {
      waiting += byte;
      const auto count = cut.passable(waiting);
      piecewise += waiting.substr(0, count);
      waiting.erase(0, count);
    }
    CHECK(passed == piecewise);
    CHECK(whole.problem() == cut.problem());
    frame_check again{rules, sender};
    CHECK(again.passable(passed) == passed.size());
    CHECK(!again.problem());
    refused += whole.problem() ? 1 : 0;
  }
  CHECK(refused > 0);
}

} // namespace backtest::testing
