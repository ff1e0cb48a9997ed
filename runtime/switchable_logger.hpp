#pragma once

#include "messages/calling_place.hpp"
#include "messages/logger.hpp"

#include <mutex>
#include <utility>

namespace backtest {

/// A logger whose target may be replaced at any time; actors that hold it follow. Thread-safe.
class switchable_logger final : public logger {
public:
  /// `target`: not null. `runtime`: as in `place_mark`.
  explicit switchable_logger(shared_logger target, const void* runtime = nullptr)
      : target_(std::move(target)), runtime_(runtime) {}

  void set(shared_logger target) {
    const std::lock_guard lock{mutex_};
    target_.swap(target); // the old one is let go outside the lock
  }

  bool enabled(log_level level) const noexcept override {
    const place_mark inside{calling_place::logger, runtime_};
    return target()->enabled(level);
  }
  void write(log_level level, std::string_view topic, std::string_view payload,
             const log_context& context) override {
    const place_mark inside{calling_place::logger, runtime_};
    target()->write(level, topic, payload, context);
  }

private:
  shared_logger target() const noexcept {
    const std::lock_guard lock{mutex_};
    return target_;
  }

  mutable std::mutex mutex_;
  shared_logger target_;
  const void* runtime_;
};

} // namespace backtest
