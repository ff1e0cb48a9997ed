#include "tools/node_flags.hpp"

#include "messages/error.hpp"

#include <fmt/format.h>

namespace backtest::tools {

node_address address_of(std::string_view flag, const std::string& text) {
  if (auto address = parse_node_address(text))
    return *address;
  throw failure(error_code::invalid_argument,
                fmt::format("{}: expected HOST:PORT, or a port from 0 to 65535 on 127.0.0.1, got "
                            "\"{}\"",
                            flag, text));
}

} // namespace backtest::tools
