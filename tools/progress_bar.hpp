#pragma once

#include "messages/event.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <utility>

namespace backtest::tools {

/// "[####----]  45 %  1.2 M instants/s  ETA 3 s", without line end. `seconds` since the start.
std::string progress_text(std::int64_t processed, std::int64_t total, double seconds);

/// One line on a terminal, redrawn in place a few times a second. One thread at a time.
class progress_bar {
public:
  explicit progress_bar(std::size_t runs) : runs_(runs) {}

  void hear(const progress_backtest& progress);
  /// Removes the line.
  void clear();

private:
  using clock = std::chrono::steady_clock;

  std::size_t runs_;
  std::map<std::pair<std::string, std::string>, std::int64_t> processed_;
  std::int64_t sum_ = 0;
  clock::time_point start_ = clock::now();
  clock::time_point drawn_{};
};

} // namespace backtest::tools
