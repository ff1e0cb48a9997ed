#pragma once

#include <functional>
#include <stop_token>
#include <string>

namespace backtest {

/// What a server said, whatever its status.
struct http_answer {
  int status = 0;
  std::string retry_after; ///< the header as it came, "" when there is none
  std::string body;        ///< unpacked
};

/// Fetches an address. Throws `failure{fetch_failed}` naming it when no complete answer came, also
/// because it was stopped.
using http_get =
    std::function<http_answer(const std::string& url, const std::stop_token& stop)>;

} // namespace backtest
