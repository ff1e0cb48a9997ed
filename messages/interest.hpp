#pragma once

#include "messages/event.hpp"

#include <cstdint>
#include <initializer_list>

namespace backtest {

/// What somebody listens to, as a set a run can test in a nanosecond: one bit per tick action and
/// one per topic.
class interest {
public:
  constexpr interest() = default;

  static constexpr interest everything() noexcept { return interest{~std::uint64_t{0}}; }
  static constexpr interest of(tick_action action) noexcept {
    return interest{std::uint64_t{1} << static_cast<unsigned>(action)};
  }
  static constexpr interest of(topic on) noexcept {
    return interest{std::uint64_t{1} << (tick_action_count + static_cast<unsigned>(on))};
  }

  constexpr bool has(tick_action action) const noexcept { return (bits_ & of(action).bits_) != 0; }
  constexpr bool has(topic on) const noexcept { return (bits_ & of(on).bits_) != 0; }
  constexpr bool empty() const noexcept { return bits_ == 0; }
  /// Everything in `other` is in here.
  constexpr bool covers(interest other) const noexcept {
    return (bits_ & other.bits_) == other.bits_;
  }

  constexpr interest& operator|=(interest other) noexcept {
    bits_ |= other.bits_;
    return *this;
  }
  friend constexpr interest operator|(interest left, interest right) noexcept {
    return left |= right;
  }
  friend constexpr bool operator==(interest, interest) = default;

private:
  constexpr explicit interest(std::uint64_t bits) noexcept : bits_(bits) {}

  std::uint64_t bits_ = 0;
};

} // namespace backtest
