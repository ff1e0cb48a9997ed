#include "runtime/node_address.hpp"

#include <doctest/doctest.h>

using namespace backtest;

TEST_CASE("node address: HOST:PORT, or a port alone on loopback") {
  CHECK(parse_node_address("4711") == node_address{"127.0.0.1", 4711});
  CHECK(parse_node_address("0") == node_address{"127.0.0.1", 0});
  CHECK(parse_node_address("example.org:65535") == node_address{"example.org", 65535});
  CHECK(parse_node_address("[::1]:80") == node_address{"::1", 80});
  for (const auto* text : {"", ":", ":80", "host:", "host", "host:65536", "host:-1", "host:80x",
                           "::1:80", "[]:80", "1.5", " 80"}) {
    CAPTURE(text);
    CHECK(!parse_node_address(text));
  }
}

TEST_CASE("node address: its text is what is read again") {
  for (const auto& address : {node_address{"127.0.0.1", 1}, node_address{"::1", 4711}})
    CHECK(parse_node_address(to_string(address)) == address);
  CHECK(to_string(node_address{"::1", 4711}) == "[::1]:4711");
}

TEST_CASE("node address: loopback") {
  CHECK(is_loopback({"127.0.0.1", 1}));
  CHECK(is_loopback({"localhost", 1}));
  CHECK(is_loopback({"::1", 1}));
  CHECK(!is_loopback({"0.0.0.0", 1}));
  CHECK(!is_loopback({"desk.example.org", 1}));
}
