#pragma once

#include "messages/enum_names.hpp"
#include "messages/event.hpp"

#include <cstdint>
#include <initializer_list>

namespace backtest {

/// What somebody listens to, as a set a run can test in a nanosecond: one bit per tick action, one
/// per topic, and one for those who can do with the newest tick of an idle stretch.
class interest {
public:
  constexpr interest() = default;

  static constexpr interest everything() noexcept { return interest{~std::uint64_t{0}}; }
  /// Nothing for a value that is none.
  static constexpr interest of(tick_action action) noexcept {
    return is_one_of_first(action, tick_action_count)
               ? interest{std::uint64_t{1} << static_cast<unsigned>(action)}
               : interest{};
  }
  static constexpr interest of(topic on) noexcept {
    return is_one_of_first(on, topic_count)
               ? interest{std::uint64_t{1} << (tick_action_count + static_cast<unsigned>(on))}
               : interest{};
  }
  /// Of a live run's idle ticks the newest is enough, as an `idle_stretch`; where every one is
  /// wanted too, it comes among them.
  static constexpr interest of_newest_idle() noexcept {
    return interest{std::uint64_t{1} << (tick_action_count + topic_count)};
  }

  constexpr bool has(tick_action action) const noexcept { return (bits_ & of(action).bits_) != 0; }
  constexpr bool has(topic on) const noexcept { return (bits_ & of(on).bits_) != 0; }
  constexpr bool has_newest_idle() const noexcept { return (bits_ & of_newest_idle().bits_) != 0; }
  constexpr bool empty() const noexcept { return bits_ == 0; }
  /// Everything in `other` is in here.
  constexpr bool covers(interest other) const noexcept {
    return (bits_ & other.bits_) == other.bits_;
  }

  /// The same, but the newest idle tick in place of every one.
  constexpr interest with_newest_idle_only() const noexcept {
    return has(tick_action::idle)
               ? interest{(bits_ & ~of(tick_action::idle).bits_) | of_newest_idle().bits_}
               : *this;
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
