#include "tools/benchmarks/klines_server.hpp"

#include <algorithm>
#include <cstdlib>
#include <string_view>
#include <thread>

#include <boost/asio.hpp>
#include <fmt/format.h>

namespace backtest::benchmarks {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr std::int64_t minute = 60'000;

std::int64_t number_behind(std::string_view text, std::string_view key) {
  const auto at = text.find(key);
  return at == std::string_view::npos ? 0
                                      : std::strtoll(text.data() + at + key.size(), nullptr, 10);
}

std::string answer_to(std::string_view request) {
  const auto since = number_behind(request, "startTime=");
  const auto last = number_behind(request, "endTime=");
  const auto limit = number_behind(request, "limit=");
  std::string rows;
  std::int64_t count = 0;
  for (auto at = (since + minute - 1) / minute * minute; at <= last && count < limit;
       at += minute, ++count)
    rows +=
        fmt::format("{}[{},\"40000.10000000\",\"40012.00000000\",\"39990.50000000\","
                    "\"40001.20000000\",\"12.34500000\",{},\"493800.0\",321,\"6.1\",\"244000.0\","
                    "\"0\"]",
                    count == 0 ? "" : ",", at, at + minute - 1);
  return fmt::format("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "
                     "{}\r\n\r\n[{}]",
                     rows.size() + 2, rows);
}

} // namespace

class klines_server::engine {
public:
  engine() : acceptor_(context_, {asio::ip::address_v4::loopback(), 0}) {
    ::setenv("no_proxy", "127.0.0.1", 1); // a proxy of the environment cannot reach this server
    asio::co_spawn(context_, accept(), asio::detached);
    thread_ = std::thread{[this] { context_.run(); }};
  }
  ~engine() {
    context_.stop();
    thread_.join();
  }
  engine(const engine&) = delete;
  engine& operator=(const engine&) = delete;

  std::string url() const {
    return fmt::format("http://127.0.0.1:{}", acceptor_.local_endpoint().port());
  }

private:
  asio::awaitable<void> accept() {
    for (;;) {
      auto socket = co_await acceptor_.async_accept(asio::use_awaitable);
      socket.set_option(tcp::no_delay{true});
      asio::co_spawn(context_, serve(std::move(socket)), asio::detached);
    }
  }

  /// Ends with an exception, unseen, when the client goes away.
  static asio::awaitable<void> serve(tcp::socket socket) {
    for (std::string received;;) {
      const auto length = co_await asio::async_read_until(socket, asio::dynamic_buffer(received),
                                                          "\r\n\r\n", asio::use_awaitable);
      const auto answer = answer_to(std::string_view{received}.substr(0, length));
      received.erase(0, length);
      co_await asio::async_write(socket, asio::buffer(answer), asio::use_awaitable);
    }
  }

  asio::io_context context_;
  tcp::acceptor acceptor_;
  std::thread thread_;
};

klines_server::klines_server() : engine_(std::make_unique<engine>()) {}

klines_server::~klines_server() = default;

std::string klines_server::url() const { return engine_->url(); }

} // namespace backtest::benchmarks
