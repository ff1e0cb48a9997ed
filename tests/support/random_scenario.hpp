#pragma once

#include "tests/support/scenario.hpp"

#include <cstdint>
#include <initializer_list>
#include <string_view>

namespace backtest::testing {

/// Numbers that depend on a list of values alone, so that a strategy can be random and yet answer
/// the same question the same way twice.
class mixer {
public:
  mixer(std::initializer_list<std::uint64_t> values) {
    for (const auto value : values)
      state_ = next() ^ value;
  }

  std::uint64_t next() noexcept {
    state_ += 0x9E3779B97F4A7C15U;
    std::uint64_t x = state_;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9U;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBU;
    return x ^ (x >> 31);
  }
  std::uint64_t below(std::uint64_t bound) noexcept { return next() % bound; }
  std::int64_t between(std::int64_t low, std::int64_t high) noexcept {
    return low + static_cast<std::int64_t>(below(static_cast<std::uint64_t>(high - low + 1)));
  }
  double real(double low, double high) noexcept {
    return low + (high - low) * static_cast<double>(next() >> 11) * 0x1.0p-53;
  }
  bool chance(double probability) noexcept { return real(0, 1) < probability; }
  template <class T>
  const T& pick(const std::vector<T>& list) noexcept {
    return list[below(list.size())];
  }

private:
  std::uint64_t state_ = 0;
};

std::uint64_t hash_of(std::string_view text) noexcept;

/// A random answer to one question, right or wrong, that looks at candles of several intervals and
/// symbols before it decides. Depends on the seed and on what the context shows, on nothing else.
std::optional<signal_request> random_signal(std::uint64_t seed, const run_context& context,
                                            const std::vector<std::string>& symbols);

/// A random portfolio: symbols with gaps and outages, strategies, risk profiles, fill models,
/// frame and parameters.
scenario random_scenario(std::uint64_t seed);

} // namespace backtest::testing
