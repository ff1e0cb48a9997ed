#include "actors/gate/frame_check.hpp"
#include "tests/support/damaged_frames.hpp"
#include "tests/support/tls_peer.hpp"

#include <doctest/doctest.h>

using namespace backtest;
using namespace backtest::testing;

namespace {

constexpr frame_rules rules_of_test{3, 1 << 20};

enum frame_op : unsigned {
  op_server_hello,
  op_client_hello,
  op_direct,
  op_routed,
  op_monitor,
  op_down,
  op_heartbeat
};

std::string server_greeting() { return frame_header_bytes(op_server_hello, 5, 3) + "hello"; }
std::string client_greeting() { return frame_header_bytes(op_client_hello, 2, 0) + "hi"; }
std::string frame_message(std::size_t length) {
  return frame_header_bytes(op_direct, static_cast<std::uint32_t>(length), 17, 4, 9) +
         std::string(length, 'x');
}

/// What a client's connection lets pass of these bytes, and why it ends.
std::pair<std::string, std::string> pass_frames(const std::string& bytes,
                                                frame_sender sender = frame_sender::client) {
  frame_check check{rules_of_test, sender};
  const auto count = check.passable(bytes);
  return {bytes.substr(0, count), check.problem().value_or("")};
}

std::string problem_after_greeting(const std::string& frame) {
  const auto [passed, problem] = pass_frames(client_greeting() + frame);
  CHECK(passed == client_greeting());
  return problem;
}

} // namespace

TEST_CASE("frame check: what CAF says passes, however it is cut") {
  const auto bytes = client_greeting() + frame_header_bytes(op_client_hello, 2, 0, 0, 0, 2) + "hi" +
                     frame_message(100) + frame_header_bytes(op_monitor, 10, 0, 0, 9) +
                     std::string(10, 'm') + frame_header_bytes(op_down, 3, 0, 7, 0) + "bye" +
                     frame_header_bytes(op_heartbeat, 0, 0) + frame_message(1 << 20);
  for (const std::size_t piece : {1U, 7U, 32U, 33U, 4096U, 2'000'000U}) {
    frame_check check{rules_of_test, frame_sender::client};
    std::string passed;
    std::string waiting;
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
      waiting += bytes.substr(at, piece);
      const auto count = check.passable(waiting);
      passed += waiting.substr(0, count);
      waiting.erase(0, count);
      CHECK(waiting.size() < frame_check::header_bytes);
    }
    CHECK(!check.problem());
    CHECK(passed == bytes);
  }
  CHECK(pass_frames(server_greeting() + frame_message(3), frame_sender::server).second.empty());
}

TEST_CASE("frame check: a header passes as a whole or not at all") {
  const auto greeting = client_greeting();
  for (std::size_t count = 0; count < frame_check::header_bytes; ++count)
    CHECK(pass_frames(greeting.substr(0, count)).first.empty());
  CHECK(pass_frames(greeting.substr(0, frame_check::header_bytes)).first.size() ==
        frame_check::header_bytes);
}

TEST_CASE("frame check: a handshake without payload, which CAF does not survive, stops here") {
  const auto hostile = frame_header_bytes(op_server_hello, 0, 1);
  CHECK(hostile.size() == frame_check::header_bytes);
  CHECK(pass_frames(hostile).first.empty());
  CHECK(pass_frames(hostile).second ==
        "a header with operation 0, expected 1, the handshake of a client, first");
  CHECK(pass_frames(hostile, frame_sender::server).second == "a header with version 1, expected 3");
  CHECK(pass_frames(frame_header_bytes(op_server_hello, 0, 3), frame_sender::server).second ==
        "a header with a payload of 0, expected 1 to 65536 bytes");
  CHECK(pass_frames(frame_header_bytes(op_client_hello, 0, 0)).second ==
        "a header with a payload of 0, expected 1 to 65536 bytes");
  CHECK(problem_after_greeting(hostile) ==
        "a header with operation 0, expected one handshake, of the server");
  CHECK(problem_after_greeting(frame_header_bytes(op_client_hello, 0, 0, 0, 0, 2)) ==
        "a header with a payload of 0, expected 1 to 65536 bytes");
}

TEST_CASE("frame check: what would take memory, comes out of turn or is unknown stops here") {
  CHECK(problem_after_greeting(frame_header_bytes(op_direct, 0xffffffff, 1, 4, 9)) ==
        "a header with a payload of 4294967295, expected 1 to 1048576 bytes");
  CHECK(problem_after_greeting(frame_header_bytes(op_direct, 0, 1, 4, 9)).find("payload of 0") !=
        std::string::npos);
  CHECK(problem_after_greeting(frame_header_bytes(op_direct, 1, 1, 4, 0)) ==
        "a header with destination 0, expected an actor");
  CHECK(problem_after_greeting(frame_header_bytes(op_direct, 1, 1, 4, 9, 4)) ==
        "a header with flags 4, expected 0 or 1");
  CHECK(problem_after_greeting(frame_header_bytes(op_monitor, 65537, 0, 0, 9)) ==
        "a header with a payload of 65537, expected 1 to 65536 bytes");
  CHECK(problem_after_greeting(frame_header_bytes(op_routed, 1, 1, 4, 9)) ==
        "a header with operation 3, expected one of 0, 1, 2, 4, 5, 6");
  CHECK(problem_after_greeting(frame_header_bytes(200, 0, 0)) ==
        "a header with operation 200, expected one of 0, 1, 2, 4, 5, 6");
  CHECK(problem_after_greeting(frame_header_bytes(op_heartbeat, 1, 0)) ==
        "a header with payload 1, expected 0");
  auto padded = frame_header_bytes(op_heartbeat, 0, 0);
  padded[2] = 1;
  CHECK(problem_after_greeting(padded) == "a header with padding 1, expected 0");
  const auto again = frame_header_bytes(op_client_hello, 2, 0, 0, 0, 2) + "hi";
  CHECK(pass_frames(client_greeting() + again + again).second ==
        "a header with operation 1, expected at most two handshakes, of the client");
  CHECK(pass_frames(frame_message(3)).second ==
        "a header with operation 2, expected 1, the handshake of a client, first");
  CHECK(pass_frames(client_greeting(), frame_sender::server).second ==
        "a header with operation 1, expected 0, the handshake of a server, first");
  CHECK(pass_frames(server_greeting() + server_greeting(), frame_sender::server).second ==
        "a header with operation 0, expected one handshake, of the server");
  CHECK(pass_frames(frame_header_bytes(op_server_hello, 5, 4) + "hello", frame_sender::server)
            .second == "a header with version 4, expected 3");
}

TEST_CASE("frame check: a conversation damaged in 1,000 ways passes no header that CAF chokes on") {
  std::string sound = server_greeting();
  for (std::size_t i = 0; i < 20; ++i)
    sound += frame_message(1 + 37 * i) + frame_header_bytes(op_heartbeat, 0, 0);
  damage_in_1000_ways(sound, rules_of_test, frame_sender::server);
}
