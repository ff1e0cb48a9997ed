#pragma once

#include "actors/http/http_answer.hpp"

#include <chrono>
#include <cstddef>
#include <memory>
#include <stop_token>
#include <string>

namespace backtest {

/// What ends a request that a server does not end.
struct http_limits {
  std::chrono::milliseconds connect_timeout{10'000};
  std::chrono::milliseconds total_timeout{30'000};
  /// A body slower than this many bytes a second, for that long, is given up.
  std::size_t slowest_speed = 1000;
  std::chrono::seconds slow_for{10};
  std::size_t largest_body = 16 * 1024 * 1024; ///< bytes, unpacked
};

/// Fetches over HTTP and HTTPS, one request after the other, and keeps the connection open in
/// between. Certificates are verified; redirects are followed within the same protocol. Honours
/// the usual proxy variables of the environment. One thread at a time.
class http_client {
public:
  /// Throws `failure{fetch_failed}` when the HTTP library does not start.
  explicit http_client(http_limits limits = {});
  ~http_client();

  /// An answer of any status. Throws `failure{fetch_failed}` naming the address when there is none:
  /// no connection, a limit reached, a broken answer, stopped (noticed within a second).
  http_answer get(const std::string& url, const std::stop_token& stop = {});

private:
  struct connection;
  std::unique_ptr<connection> connection_;
};

} // namespace backtest
