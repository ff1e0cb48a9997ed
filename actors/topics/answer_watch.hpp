#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <optional>

namespace backtest {

/// How far a subscriber has come with what it was sent.
struct answer_progress {
  std::uint64_t batches = 0; ///< answered
  std::uint64_t events = 0;  ///< done, where it tells

  friend bool operator==(const answer_progress&, const answer_progress&) = default;
};

/// Notices that somebody owes an answer for too long and comes no further. A plain value: whoever
/// looks now and then brings the time.
class answer_watch {
public:
  using time_point = std::chrono::steady_clock::time_point;

  /// `owes`: how far it has come; nothing when it owes no answer. True once for each time it stands
  /// still, at the first look at which it has done so for `patience` or longer.
  bool is_overdue(std::optional<answer_progress> owes, time_point now,
                  std::chrono::nanoseconds patience) {
    if (!owes || owes != seen_) {
      seen_ = owes;
      since_ = now;
      is_told_ = false;
      return false;
    }
    if (is_told_ || now - since_ < patience)
      return false;
    return is_told_ = true;
  }

private:
  std::optional<answer_progress> seen_; ///< at the last look
  time_point since_{};
  bool is_told_ = false;
};

} // namespace backtest
