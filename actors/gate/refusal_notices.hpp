#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace backtest {

/// Sentences about refused connections: the first of an address at once, what follows within a
/// minute together at its end. However many there are, it stays small. A plain value.
class refusal_notices {
public:
  using time_point = std::chrono::steady_clock::time_point;
  static constexpr std::chrono::minutes span{1};
  /// More are counted together.
  static constexpr std::size_t most_addresses = 64;
  static constexpr std::size_t most_reasons = 8; ///< of an address

  /// One more; what is to be told now, or nothing. Equal reasons are counted together.
  std::string note(const std::string& address, std::string_view reason, time_point now);
  /// What is to be told of minutes that are over; called now and then.
  std::vector<std::string> due(time_point now);
  /// Nothing is left to be told later.
  bool is_quiet() const noexcept { return open_.empty(); }

private:
  struct minute {
    time_point began;
    std::map<std::string, std::size_t, std::less<>> reasons; ///< since it was last told
  };

  std::map<std::string, minute> open_;
};

} // namespace backtest
