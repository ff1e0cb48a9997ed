#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace backtest {

/// Where a node listens. Port 0, when publishing: one that is free.
struct node_address {
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;

  friend bool operator==(const node_address&, const node_address&) = default;
};

/// Only processes of the same machine reach it.
bool is_loopback(const node_address& address);

/// HOST:PORT, with a host that contains colons in brackets.
std::string to_string(const node_address& address);

/// HOST:PORT, or PORT alone on loopback. Absent for anything else.
std::optional<node_address> parse_node_address(std::string_view text);

} // namespace backtest
