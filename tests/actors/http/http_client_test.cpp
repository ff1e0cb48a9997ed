#include "actors/http/http_client.hpp"

#include "messages/error.hpp"
#include "tests/actors/exchange/candle_fixtures.hpp"
#include "tests/support/contains.hpp"
#include "tests/support/http_server.hpp"

#include <doctest/doctest.h>
#include <zlib.h>

using namespace backtest;
using namespace backtest::test;
using backtest::testing::contains;

namespace {

/// As HTTP's Content-Encoding: gzip wants it.
std::string packed(const std::string& text) {
  z_stream stream{};
  constexpr int gzip_window = 15 + 16;
  REQUIRE(deflateInit2(&stream, 9, Z_DEFLATED, gzip_window, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out(deflateBound(&stream, static_cast<uLong>(text.size())), '\0');
  std::string in = text;
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

/// What `get` throws, which must be `fetch_failed` and name the address.
std::string problem_of(http_client& client, const std::string& url) {
  const auto problem = error_of([&] { client.get(url); });
  REQUIRE(problem);
  CHECK(problem->code == error_code::fetch_failed);
  CHECK(problem->message.starts_with(url + ": "));
  return problem->message.substr(url.size() + 2);
}

} // namespace

TEST_CASE("http client: status, body and Retry-After of any answer, one connection for all") {
  http_server server{[](const std::string& target) -> served_answer {
    if (target == "/busy")
      return {"later", 429, {{"Retry-After", "7"}}};
    return {"you asked for " + target};
  }};
  http_client client;
  const auto first = client.get(server.url() + "/a?b=c%20d");
  CHECK(first.status == 200);
  CHECK(first.body == "you asked for /a?b=c%20d");
  CHECK(first.retry_after.empty());
  const auto busy = client.get(server.url() + "/busy");
  CHECK(busy.status == 429);
  CHECK(busy.body == "later");
  CHECK(busy.retry_after == "7");
  for (int i = 0; i < 10; ++i)
    CHECK(client.get(server.url() + "/again").retry_after.empty());
  CHECK(server.targets().size() == 12);
  CHECK(server.connections() == 1);
  CHECK(server.user_agents().front() == "backtest_caf");
}

TEST_CASE("http client: a connection the server closed is opened anew") {
  http_server server{[](const std::string&) { return served_answer{"x", 200, {}, false, true}; }};
  http_client client;
  CHECK(client.get(server.url()).body == "x");
  CHECK(client.get(server.url()).body == "x");
  CHECK(server.connections() == 2);
}

TEST_CASE("http client: a packed body comes unpacked, and its limit counts unpacked bytes") {
  const std::string text(100'000, 'a');
  http_server server{[&](const std::string&) -> served_answer {
    return {packed(text), 200, {{"Content-Encoding", "gzip"}}};
  }};
  http_client client;
  CHECK(client.get(server.url()).body == text);
  http_limits limits;
  limits.largest_body = text.size() - 1;
  http_client careful{limits};
  CHECK(problem_of(careful, server.url() + "/") ==
        "the answer is too large; expected at most 99999 bytes");
  limits.largest_body = text.size();
  http_client exact{limits};
  CHECK(exact.get(server.url()).body == text);
}

TEST_CASE("http client: a body that stops half way ends by the time-out, the next request works") {
  http_server server{[](const std::string& target) -> served_answer {
    return {"half", 200, {}, target == "/stalls"};
  }};
  http_limits limits;
  limits.total_timeout = std::chrono::milliseconds{100};
  http_client client{limits};
  const auto problem = problem_of(client, server.url() + "/stalls");
  CHECK_MESSAGE(contains(problem, "timed out"), problem);
  limits.total_timeout = std::chrono::minutes{1};
  http_client patient{limits};
  CHECK(patient.get(server.url() + "/whole").body == "half");
}

TEST_CASE("http client: a body that comes too slowly is given up") {
  http_server server{[](const std::string&) -> served_answer { return {"half", 200, {}, true}; }};
  http_limits limits;
  limits.slow_for = std::chrono::seconds{1}; // the shortest there is
  http_client client{limits};
  const auto problem = problem_of(client, server.url() + "/");
  CHECK_MESSAGE(contains(problem, "too slow"), problem);
}

TEST_CASE("http client: nobody listens, no such protocol, no address") {
  http_client client;
  const auto refused = problem_of(client, deserted_url() + "/");
  CHECK_MESSAGE(contains(refused, "connect"), refused);
  const auto file = problem_of(client, "file:///etc/hostname");
  CHECK_MESSAGE(contains(file, "Protocol"), file);
  problem_of(client, "http://");
}

TEST_CASE("http client: a redirect is followed within the protocol, a few times, no further") {
  http_server server{[](const std::string& target) -> served_answer {
    if (target == "/moved")
      return {"", 302, {{"Location", "/here"}}};
    if (target == "/file")
      return {"", 302, {{"Location", "file:///etc/hostname"}}};
    if (target == "/secure")
      return {"", 302, {{"Location", "https://127.0.0.1/"}}};
    if (target == "/round")
      return {"", 302, {{"Location", "/round"}}};
    return {"arrived"};
  }};
  http_client client;
  CHECK(client.get(server.url() + "/moved").body == "arrived");
  CHECK(contains(problem_of(client, server.url() + "/file"), "rotocol"));
  CHECK(contains(problem_of(client, server.url() + "/secure"), "rotocol"));
  CHECK(contains(problem_of(client, server.url() + "/round"), "redirects"));
}
