#pragma once

#include "messages/logger.hpp"

#include <mutex>
#include <utility>

namespace backtest {

/// A logger whose target may be replaced at any time; actors that hold it follow. Thread-safe.
class switchable_logger final : public logger {
public:
  /// `target`: not null.
  explicit switchable_logger(shared_logger target) : target_(std::move(target)) {}

  void set(shared_logger target) {
    const std::lock_guard lock{mutex_};
    target_.swap(target); // the old one is let go outside the lock
  }

  bool enabled(log_level level) const noexcept override { return target()->enabled(level); }
  void write(log_level level, std::string_view topic, std::string_view payload,
             const log_context& context) override {
    target()->write(level, topic, payload, context);
  }

private:
  shared_logger target() const noexcept {
    const std::lock_guard lock{mutex_};
    return target_;
  }

  mutable std::mutex mutex_;
  shared_logger target_;
};

} // namespace backtest
