#pragma once

#include "actors/topics/subscription_filter.hpp"
#include "messages/enum_names.hpp"

#include <cstdint>
#include <initializer_list>
#include <vector>

namespace backtest {

/// The reports that follow the events of runs.
enum class report_kind : std::uint8_t {
  backtest,
  live,
  schedule,
  performance,
  partial,
  risk,
  heat,
};

inline constexpr std::size_t report_kind_count = 7;

/// Some of the reports; a value that is none of the kinds counts for nothing.
class report_set {
public:
  constexpr report_set() = default;
  constexpr report_set(std::initializer_list<report_kind> kinds) noexcept {
    for (const auto kind : kinds)
      bits_ |= bit(kind);
  }
  static constexpr report_set all() noexcept {
    report_set every;
    every.bits_ = (1u << report_kind_count) - 1;
    return every;
  }

  constexpr report_set with(report_set more) const noexcept {
    report_set both = *this;
    both.bits_ |= more.bits_;
    return both;
  }
  constexpr bool has(report_kind kind) const noexcept { return (bits_ & bit(kind)) != 0; }
  friend constexpr bool operator==(report_set, report_set) = default;

private:
  static constexpr unsigned bit(report_kind kind) noexcept {
    return is_one_of_first(kind, report_kind_count) ? 1u << static_cast<unsigned>(kind) : 0;
  }

  unsigned bits_ = 0;
};

/// What has to be subscribed to for these reports, no topic twice and nothing more than they need:
/// a backtest report alone asks for the closes of backtests.
std::vector<subscription> subscriptions_for(report_set reports);

} // namespace backtest
