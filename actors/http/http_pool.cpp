#include "actors/http/http_pool.hpp"

#include <utility>

namespace backtest {

http_answer http_pool::get(const std::string& url, const std::stop_token& stop) {
  auto client = take();
  auto answer = client->get(url, stop); // one that failed is not used again
  const std::lock_guard lock{mutex_};
  idle_.push_back(std::move(client));
  return answer;
}

std::unique_ptr<http_client> http_pool::take() {
  {
    const std::lock_guard lock{mutex_};
    if (!idle_.empty()) {
      auto client = std::move(idle_.back());
      idle_.pop_back();
      return client;
    }
  }
  return std::make_unique<http_client>(limits_);
}

} // namespace backtest
