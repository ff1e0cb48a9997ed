#pragma once

#include <algorithm>
#include <concepts>

namespace backtest::testing {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool is_sanitized = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
inline constexpr bool is_sanitized = true;
#else
inline constexpr bool is_sanitized = false;
#endif
#else
inline constexpr bool is_sanitized = false;
#endif

/// How many of `count` random cases a test tries: sanitizers look for faults that every case shows,
/// at ten times the cost, so a fortieth is enough for them.
template <std::integral Count> constexpr Count random_cases(Count count) {
  return is_sanitized ? std::max<Count>(count / 40, 1) : count;
}

} // namespace backtest::testing
