#pragma once

#include "actors/http/http_client.hpp"

#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace backtest {

/// Connections that threads share: as many as ever asked at the same time, the latest one used
/// first. Thread-safe.
class http_pool {
public:
  explicit http_pool(http_limits limits = {}) : limits_(limits) {}

  /// As `http_client::get`.
  http_answer get(const std::string& url, const std::stop_token& stop = {});

private:
  std::unique_ptr<http_client> take();

  http_limits limits_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<http_client>> idle_;
};

} // namespace backtest
