#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>

namespace backtest::tools {

/// Why this side cut a connection off, which its gate says on a thread of its own. Copies share it.
class cut_reason {
public:
  /// For `connect_node`.
  std::function<void(const std::string&)> writer() const {
    return [known = known_](const std::string& why) {
      const std::lock_guard lock{known->mutex};
      known->text = why;
    };
  }
  /// ": it sent ...", or nothing.
  std::string told() const {
    const std::lock_guard lock{known_->mutex};
    return known_->text.empty() ? std::string{} : ": " + known_->text;
  }

private:
  struct shared_text {
    std::mutex mutex;
    std::string text;
  };
  std::shared_ptr<shared_text> known_ = std::make_shared<shared_text>();
};

} // namespace backtest::tools
