#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace backtest::test {

/// What the server says to one request.
struct served_answer {
  std::string body;
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers{};
  bool stalls = false; ///< announces twice the body, sends it, and then nothing
  bool closes = false; ///< ends the connection afterwards
};

/// A real HTTP server on a free port of the loopback interface, on a thread of its own. Its
/// answers are a function of the request's target (path and query), called one at a time.
class http_server {
public:
  explicit http_server(std::function<served_answer(const std::string& target)> answer);
  ~http_server();

  std::string url() const;                      ///< "http://127.0.0.1:PORT"
  std::vector<std::string> targets() const;     ///< of the requests so far
  std::vector<std::string> user_agents() const; ///< of the requests so far
  int connections() const;                      ///< accepted so far

private:
  class engine;
  std::unique_ptr<engine> engine_;
};

/// An address of the loopback interface where nobody listens.
std::string deserted_url();

} // namespace backtest::test
