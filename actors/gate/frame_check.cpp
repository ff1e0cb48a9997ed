#include "actors/gate/frame_check.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace backtest {

namespace {

enum class frame_operation : std::uint8_t {
  server_handshake,
  client_handshake,
  direct_message,
  routed_message,
  monitor_message,
  down_message,
  heartbeat
};

constexpr std::uint64_t is_named_receiver = 1;
constexpr std::uint64_t selects_connection = 2;

struct frame_header {
  std::uint64_t operation;
  std::uint64_t padding;
  std::uint64_t flags;
  std::uint64_t payload;
  std::uint64_t data;
  std::uint64_t source;
  std::uint64_t destination;
};

std::uint64_t number_at(std::string_view bytes, std::size_t first, std::size_t count) {
  std::uint64_t number = 0;
  for (const char byte : bytes.substr(first, count))
    number = number << 8U | static_cast<unsigned char>(byte);
  return number;
}

frame_header frame_header_of(std::string_view bytes) {
  return {number_at(bytes, 0, 1), number_at(bytes, 1, 2), number_at(bytes, 3, 1),
          number_at(bytes, 4, 4), number_at(bytes, 8, 8), number_at(bytes, 16, 8),
          number_at(bytes, 24, 8)};
}

} // namespace

std::size_t frame_check::passable(std::string_view waiting) {
  std::size_t passed = 0;
  while (!problem_ && passed < waiting.size()) {
    const auto left = waiting.size() - passed;
    if (payload_left_ > 0) {
      const auto piece = std::min<std::size_t>(left, payload_left_);
      payload_left_ -= static_cast<std::uint32_t>(piece);
      passed += piece;
    } else if (left < header_bytes) {
      break;
    } else {
      look_at(waiting.substr(passed, header_bytes));
      if (!problem_)
        passed += header_bytes;
    }
  }
  return passed;
}

void frame_check::look_at(std::string_view bytes) {
  const auto header = frame_header_of(bytes);
  const auto expect = [this](bool holds, std::string_view name, std::uint64_t value,
                             std::string_view expected) {
    if (!holds && !problem_)
      problem_ = fmt::format("a header with {} {}, expected {}", name, value, expected);
  };
  const auto nothing = [&](std::string_view name, std::uint64_t value) {
    expect(value == 0, name, value, "0");
  };
  const auto payload_up_to = [&](std::uint32_t most) {
    expect(header.payload > 0 && header.payload <= most, "a payload of", header.payload,
           fmt::format("1 to {} bytes", most));
  };
  const auto operation = static_cast<frame_operation>(header.operation);
  const bool begins = handshakes_ == 0;
  const auto first = sender_ == frame_sender::server ? frame_operation::server_handshake
                                                     : frame_operation::client_handshake;
  expect(!begins || operation == first, "operation", header.operation,
         sender_ == frame_sender::server ? "0, the handshake of a server, first"
                                         : "1, the handshake of a client, first");
  nothing("padding", header.padding);
  switch (operation) {
  case frame_operation::server_handshake:
    expect(sender_ == frame_sender::server && begins, "operation", header.operation,
           "one handshake, of the server");
    expect(header.data == rules_.version, "version", header.data,
           fmt::format("{}", rules_.version));
    nothing("flags", header.flags);
    nothing("source", header.source);
    nothing("destination", header.destination);
    payload_up_to(longest_notice);
    ++handshakes_;
    break;
  case frame_operation::client_handshake:
    // The second one says that it settles on this connection.
    expect(sender_ == frame_sender::client && handshakes_ < 2, "operation", header.operation,
           "at most two handshakes, of the client");
    expect(header.flags == (begins ? 0 : selects_connection), "flags", header.flags,
           begins ? "0" : "2");
    nothing("data", header.data);
    nothing("source", header.source);
    nothing("destination", header.destination);
    payload_up_to(longest_notice);
    ++handshakes_;
    break;
  case frame_operation::direct_message:
    expect(header.flags <= is_named_receiver, "flags", header.flags, "0 or 1");
    expect(header.destination != 0, "destination", header.destination, "an actor");
    payload_up_to(rules_.longest_payload);
    break;
  case frame_operation::monitor_message:
    nothing("flags", header.flags);
    nothing("data", header.data);
    nothing("source", header.source);
    expect(header.destination != 0, "destination", header.destination, "an actor");
    payload_up_to(longest_notice);
    break;
  case frame_operation::down_message:
    nothing("flags", header.flags);
    nothing("data", header.data);
    expect(header.source != 0, "source", header.source, "an actor");
    nothing("destination", header.destination);
    payload_up_to(longest_notice);
    break;
  case frame_operation::heartbeat:
    nothing("flags", header.flags);
    nothing("payload", header.payload);
    nothing("data", header.data);
    nothing("source", header.source);
    nothing("destination", header.destination);
    break;
  case frame_operation::routed_message: // of a third node, which nobody here speaks for
  default: expect(false, "operation", header.operation, "one of 0, 1, 2, 4, 5, 6"); break;
  }
  payload_left_ = static_cast<std::uint32_t>(header.payload);
}

} // namespace backtest
