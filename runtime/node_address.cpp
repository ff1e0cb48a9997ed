#include "runtime/node_address.hpp"

#include <charconv>

#include <fmt/format.h>

namespace backtest {

bool is_loopback(const node_address& address) {
  return address.host == "localhost" || address.host == "::1" || address.host.starts_with("127.");
}

std::string to_string(const node_address& address) {
  return address.host.find(':') == std::string::npos
             ? fmt::format("{}:{}", address.host, address.port)
             : fmt::format("[{}]:{}", address.host, address.port);
}

std::optional<node_address> parse_node_address(std::string_view text) {
  node_address address;
  if (const auto colon = text.rfind(':'); colon != std::string_view::npos) {
    auto host = text.substr(0, colon);
    text.remove_prefix(colon + 1);
    const bool is_bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
    if (is_bracketed)
      host = host.substr(1, host.size() - 2);
    if (host.empty() || (!is_bracketed && host.find_first_of(":[]") != std::string_view::npos))
      return std::nullopt;
    address.host = host;
  }
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), address.port);
  if (text.empty() || problem != std::errc{} || end != text.data() + text.size())
    return std::nullopt;
  return address;
}

} // namespace backtest
