#pragma once

#include "messages/error.hpp"

#include <chrono>

namespace backtest {

/// Thrown by a candle source that would be refused again, however often it asked.
class permanent_failure : public failure {
public:
  using failure::failure;
};

/// Thrown by a candle source that was told how long to wait before it asks again.
class postponed_failure : public failure {
public:
  postponed_failure(error_code code, const std::string& message,
                    std::chrono::milliseconds retry_after)
      : failure(code, message), retry_after_(retry_after) {}

  std::chrono::milliseconds retry_after() const noexcept { return retry_after_; }

private:
  std::chrono::milliseconds retry_after_;
};

} // namespace backtest
