#include "tools/node_flags.hpp"

#include "messages/error.hpp"

#include <cmath>

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

void add_patience(CLI::App& command, std::chrono::milliseconds& patience) {
  constexpr double longest = 86'400;
  command
      .add_option_function<double>(
          "--patience",
          [&patience](double seconds) {
            patience = std::chrono::milliseconds{std::llround(seconds * 1000)};
          },
          fmt::format("Longest wait for a node that keeps replacing its files (default {})",
                      std::chrono::duration_cast<std::chrono::seconds>(patience).count()))
      ->check(CLI::Range(0.0, longest))
      ->type_name("SECONDS");
}

} // namespace backtest::tools
