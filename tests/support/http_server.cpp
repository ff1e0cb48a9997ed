#include "tests/support/http_server.hpp"

#include <cstdlib>
#include <mutex>
#include <thread>

#include <boost/asio.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

namespace backtest::test {

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;

tcp::endpoint free_port() { return {asio::ip::address_v4::loopback(), 0}; }

std::string url_of(const tcp::endpoint& endpoint) {
  return "http://127.0.0.1:" + std::to_string(endpoint.port());
}

} // namespace

class http_server::engine {
public:
  explicit engine(std::function<served_answer(const std::string&)> answer)
      : answer_(std::move(answer)), acceptor_(context_, free_port()),
        url_(url_of(acceptor_.local_endpoint())) {
    asio::co_spawn(context_, accept(), asio::detached);
    thread_ = std::thread{[this] { context_.run(); }};
  }
  ~engine() {
    context_.stop();
    thread_.join();
  }
  engine(const engine&) = delete;
  engine& operator=(const engine&) = delete;

  const std::string& url() const noexcept { return url_; }

  template <class Read>
  auto look(Read&& read) const {
    const std::lock_guard lock{mutex_};
    return read(*this);
  }

  std::vector<std::string> targets;
  std::vector<std::string> user_agents;
  int connections = 0;

private:
  asio::awaitable<void> accept() {
    for (;;) {
      auto socket = co_await acceptor_.async_accept(asio::use_awaitable);
      {
        const std::lock_guard lock{mutex_};
        ++connections;
      }
      asio::co_spawn(context_, serve(std::move(socket)), asio::detached);
    }
  }

  /// Ends with an exception, unseen, when the client goes away.
  asio::awaitable<void> serve(tcp::socket socket) {
    boost::beast::flat_buffer buffer;
    for (bool open = true; open;) {
      http::request<http::string_body> request;
      co_await http::async_read(socket, buffer, request, asio::use_awaitable);
      const auto answer = answer_to(request);
      http::response<http::string_body> response{static_cast<http::status>(answer.status), 11};
      for (const auto& [name, value] : answer.headers)
        response.set(name, value);
      response.body() = answer.body;
      response.keep_alive(!answer.closes);
      response.content_length(answer.body.size() * (answer.stalls ? 2 : 1));
      co_await http::async_write(socket, response, asio::use_awaitable);
      open = !answer.closes;
    }
  }

  served_answer answer_to(const http::request<http::string_body>& request) {
    const std::lock_guard lock{mutex_};
    targets.emplace_back(request.target());
    user_agents.emplace_back(request[http::field::user_agent]);
    return answer_(targets.back());
  }

  std::function<served_answer(const std::string&)> answer_;
  mutable std::mutex mutex_;
  asio::io_context context_;
  tcp::acceptor acceptor_;
  std::string url_;
  std::thread thread_;
};

http_server::http_server(std::function<served_answer(const std::string&)> answer)
    : engine_(std::make_unique<engine>(std::move(answer))) {
  ::setenv("no_proxy", "127.0.0.1", 1); // a proxy of the environment cannot reach this server
}

http_server::~http_server() = default;

std::string http_server::url() const { return engine_->url(); }

std::vector<std::string> http_server::targets() const {
  return engine_->look([](const engine& own) { return own.targets; });
}

std::vector<std::string> http_server::user_agents() const {
  return engine_->look([](const engine& own) { return own.user_agents; });
}

int http_server::connections() const {
  return engine_->look([](const engine& own) { return own.connections; });
}

std::string deserted_url() {
  ::setenv("no_proxy", "127.0.0.1", 1);
  asio::io_context context;
  // Bound, so that nobody else gets the port, until this function returns; never listening.
  tcp::socket socket{context, free_port()};
  return url_of(socket.local_endpoint());
}

} // namespace backtest::test
